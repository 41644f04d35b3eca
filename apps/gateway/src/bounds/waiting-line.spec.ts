import { setImmediate as microtasksDone } from 'node:timers/promises';
import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { WaitingLine } from './waiting-line.js';

/** Tasks that last until they are ended; two at once, and three more may wait. */
class Tasks {
  readonly clock = new ManualClock();
  readonly begun: string[] = [];
  readonly #line = new WaitingLine(2, 3, this.clock);
  readonly #ends = new Map<string, (error?: Error) => void>();

  run(name: string, waitMs = 1000): Promise<string> {
    const task = () =>
      new Promise<string>((resolve, reject) => {
        this.begun.push(name);
        this.#ends.set(name, (error) => {
          if (error === undefined) resolve(name);
          else reject(error);
        });
      });
    return this.#line.run(task, waitMs, (why) => new Error(why));
  }

  async end(name: string, error?: Error): Promise<void> {
    await microtasksDone();
    this.#ends.get(name)?.(error);
    await microtasksDone();
  }
}

it('so many run at once, the others in the order they came', async () => {
  const tasks = new Tasks();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => tasks.run(name));
  await tasks.end('b');
  expect(tasks.begun).toEqual(['a', 'b', 'c']);
  const cut = expect(a).rejects.toThrow('cut');
  await tasks.end('a', new Error('cut'));
  await cut;
  expect(tasks.begun).toEqual(['a', 'b', 'c', 'd']);
  const e = tasks.run('e');
  await tasks.end('c');
  await tasks.end('d');
  await tasks.end('e');
  expect(await Promise.all([b, c, d, e])).toEqual(['b', 'c', 'd', 'e']);
});

it('so many wait at most', async () => {
  const tasks = new Tasks();
  const names = ['a', 'b', 'c', 'd', 'e'];
  const all = names.map((name) => tasks.run(name));
  await expect(tasks.run('f')).rejects.toThrow('full');
  for (const name of names) await tasks.end(name);
  expect(await Promise.all(all)).toEqual(names);
  expect(tasks.begun).toEqual(names);
});

it('whoever waited too long leaves, and the turn is the next one’s', async () => {
  const tasks = new Tasks();
  const all = [tasks.run('a'), tasks.run('b')];
  const impatient = expect(tasks.run('impatient', 500)).rejects.toThrow('late');
  all.push(tasks.run('patient'));
  tasks.clock.advance(500);
  await impatient;
  await tasks.end('a');
  expect(tasks.begun).toEqual(['a', 'b', 'patient']);
  // Its wait is over: nothing of it is left.
  expect(tasks.clock.pending).toBe(0);
  await tasks.end('b');
  await tasks.end('patient');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'patient']);
});
