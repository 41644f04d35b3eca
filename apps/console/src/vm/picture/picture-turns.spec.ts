import { expect, it } from 'vitest';
import { PictureTurns } from './picture-turns.js';

it('takes two pictures at once and no more', async () => {
  const turns = new PictureTurns();
  const { signal } = new AbortController();
  const ends: (() => void)[] = [];
  let taking = 0;
  const take = (): Promise<void> => {
    taking++;
    return new Promise<void>((resolve) => ends.push(resolve)).finally(() => taking--);
  };
  const all = Array.from({ length: 4 }, () => turns.run(take, signal));
  expect(taking).toBeLessThanOrEqual(2);
  while (ends.length > 0 || taking > 0) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(taking).toBeLessThanOrEqual(2);
  }
  await Promise.all(all);
});

it('takes none for who is gone, and lets the next one', async () => {
  const turns = new PictureTurns();
  const gone = turns.run(() => Promise.resolve(1), AbortSignal.abort(new Error('gone')));
  await expect(gone).rejects.toThrow('gone');
  expect(await turns.run(() => Promise.resolve(2), new AbortController().signal)).toBe(2);
});
