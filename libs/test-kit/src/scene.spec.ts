import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Scene } from './scene.js';

it('ends what was still starting when something else failed', async () => {
  const scene = new Scene();
  const ended: string[] = [];
  const slow = delay(20, 'slow');
  const set = Promise.all([
    scene.start(slow, (name) => ended.push(name)),
    scene.start(Promise.reject(new Error('no boot')), () => ended.push('never')),
  ]);
  await expect(set).rejects.toThrow('no boot');
  await scene.end();
  expect(ended).toEqual(['slow']);
});

it('ends everything in reverse order, once', async () => {
  const scene = new Scene();
  const ended: number[] = [];
  scene.keep(1, (one) => ended.push(one));
  await scene.start(Promise.resolve(2), (two) => ended.push(two));
  await scene.end();
  await scene.end();
  expect(ended).toEqual([2, 1]);
});
