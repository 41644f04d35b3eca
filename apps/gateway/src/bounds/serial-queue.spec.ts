import { setImmediate as microtasksDone } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SerialQueue } from './serial-queue.js';

it('runs one after the other, in order, whatever becomes of those before', async () => {
  const queue = new SerialQueue();
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const task = (name: string) =>
    queue.run(async () => {
      log.push(`${name} begins`);
      await new Promise<void>((resolve) => ends.push(resolve));
      log.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    });
  const [a, b, c] = ['a', 'b', 'c'].map(task);
  const failed = expect(b).rejects.toThrow('b failed');
  const end = async () => {
    await microtasksDone();
    ends.shift()?.();
  };
  for (let at = 0; at < 3; at++) await end();
  expect(await Promise.all([a, c])).toEqual(['a', 'c']);
  await failed;
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

it('is idle when all that was given has ended', async () => {
  const queue = new SerialQueue();
  let ended = false;
  void queue.run(async () => {
    await microtasksDone();
    ended = true;
  });
  await queue.idle();
  expect(ended).toBe(true);
});

it('hands on what a task throws before it returns a promise', async () => {
  const queue = new SerialQueue();
  await expect(
    queue.run(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect(await queue.run(() => Promise.resolve('next'))).toBe('next');
});
