import { expect, it } from 'vitest';
import { Semaphore } from './semaphore.js';

it('lets in no more than it has places, in the order asked', () => {
  const semaphore = new Semaphore(2);
  const begun: number[] = [];
  const tasks = [0, 1, 2, 3, 4].map((index) => () => void begun.push(index));
  for (const task of tasks) semaphore.enter(task);
  expect(begun).toEqual([0, 1]);
  expect(semaphore.waiting).toBe(3);
  expect(semaphore.withdraw(tasks[2]!)).toBe(true);
  expect(semaphore.withdraw(tasks[0]!)).toBe(false);
  semaphore.leave();
  expect(begun).toEqual([0, 1, 3]);
  semaphore.leave();
  semaphore.leave();
  semaphore.leave();
  expect(begun).toEqual([0, 1, 3, 4]);
  expect(semaphore.taken).toBe(0);
});

it('gives a place to who does not wait only while one is free', () => {
  const semaphore = new Semaphore(1);
  expect([semaphore.tryEnter(), semaphore.tryEnter()]).toEqual([true, false]);
  let begun = false;
  semaphore.enter(() => (begun = true));
  semaphore.leave();
  // The place went to the one that waited.
  expect([begun, semaphore.tryEnter()]).toEqual([true, false]);
  semaphore.leave();
  expect(semaphore.tryEnter()).toBe(true);
});

it('refuses a number of places that would let nobody in', () => expect(() => new Semaphore(0)).toThrow(RangeError));

it('runs all, in order, so many at once at most', async () => {
  const asked: string[] = [];
  let [underWay, most] = [0, 0];
  const semaphore = new Semaphore(4);
  const ask = (question: string) =>
    semaphore.run(async () => {
      asked.push(question);
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      if (question === '3') throw new Error('gone');
      return `${question}!`;
    });
  const questions = Array.from({ length: 50 }, (_, at) => String(at));
  const answers = await Promise.allSettled(questions.map((question) => ask(question)));
  expect([asked, most, underWay]).toEqual([questions, 4, 0]);
  const told = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'threw'));
  expect(told).toEqual(questions.map((question) => (question === '3' ? 'threw' : `${question}!`)));
  expect(await ask('again')).toBe('again!');
});
