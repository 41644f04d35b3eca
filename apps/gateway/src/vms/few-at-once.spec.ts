import { expect, it } from 'vitest';
import { fewAtOnce } from './few-at-once.js';

it('asks all, in order, so many at once at most', async () => {
  const asked: string[] = [];
  let [underWay, most] = [0, 0];
  const ask = fewAtOnce(async (question: string) => {
    asked.push(question);
    most = Math.max(most, ++underWay);
    await Promise.resolve();
    underWay--;
    if (question === '3') throw new Error('gone');
    return `${question}!`;
  }, 4);
  const questions = Array.from({ length: 50 }, (_, at) => String(at));
  const answers = await Promise.allSettled(questions.map((question) => ask(question)));
  expect([asked, most, underWay]).toEqual([questions, 4, 0]);
  const told = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'threw'));
  expect(told).toEqual(questions.map((question) => (question === '3' ? 'threw' : `${question}!`)));
  expect(await ask('again')).toBe('again!');
});
