import { expect, it } from 'vitest';
import { Poller } from './poller.js';

/** A pause that the test ends. */
class Pauses {
  readonly asked: number[] = [];
  #end: () => void = () => undefined;

  sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    this.asked.push(ms);
    return new Promise((resolve) => {
      this.#end = resolve;
      signal.addEventListener('abort', () => resolve());
    });
  };
  end(): void {
    this.#end();
  }
}

it('asks one at a time, pauses after each answer, and goes on after a failure', async () => {
  const pauses = new Pauses();
  const answers: ((error?: Error) => void)[] = [];
  const failures: unknown[] = [];
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => answers.push((error) => (error === undefined ? resolve() : reject(error))));
  const poller = new Poller(ask, { pauseMs: 2000, failed: (error) => failures.push(error), sleep: pauses.sleep });
  poller.start();
  poller.start();
  expect([answers.length, pauses.asked]).toEqual([1, []]);
  answers[0]?.();
  await expect.poll(() => pauses.asked).toEqual([2000]);
  pauses.end();
  await expect.poll(() => answers.length).toBe(2);
  const error = new Error('away');
  answers[1]?.(error);
  await expect.poll(() => failures).toEqual([error]);
  await expect.poll(() => pauses.asked.length).toBe(2);
  pauses.end();
  await expect.poll(() => answers.length).toBe(3);
  poller.stop();
  answers[2]?.(new Error('stopped'));
  await Promise.resolve();
  expect([failures.length, answers.length, pauses.asked.length]).toEqual([1, 3, 2]);
});

it('ends the open question when it is stopped, and can begin again', async () => {
  const signals: AbortSignal[] = [];
  const ask = (signal: AbortSignal): Promise<void> => {
    signals.push(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  const failures: unknown[] = [];
  const poller = new Poller(ask, { pauseMs: 1, failed: (error) => failures.push(error) });
  poller.start();
  poller.stop();
  poller.start();
  await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(failures).toEqual([]);
  poller.stop();
});
