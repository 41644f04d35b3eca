import { describe, expect, it } from 'vitest';
import { queryThroughQueue } from './query-through-queue.js';
import { CommandQueue, type QueuedCommand } from './command-queue.js';

function stage(): { queue: CommandQueue; done: string[]; turn: (name: string) => Omit<QueuedCommand, 'principalId'> } {
  const done: string[] = [];
  const turn = (name: string) => ({
    send: () => void done.push(`${name} sent`),
    refuse: () => void done.push(`${name} refused`),
    giveWay: () => void done.push(`${name} gave way`),
  });
  return { queue: new CommandQueue({ queue: 3 }), done, turn };
}

describe('a question of the gateway', () => {
  it('is sent at once where nobody waits, else in turn with the others', () => {
    const { queue, done, turn } = stage();
    const monitor = { places: 1 };
    const first = turn('first');
    queryThroughQueue(queue, monitor, {
      ...first,
      send: () => {
        monitor.places--;
        first.send();
      },
    });
    for (const name of ['a1', 'a2']) queue.add({ principalId: 'a', ...turn(name) });
    queryThroughQueue(queue, { places: 0 }, turn('second'));
    for (let count = 0; count < 3; count++) queue.next()?.send();
    expect(done).toEqual(['first sent', 'a1 sent', 'second sent', 'a2 sent']);
  });

  it('gives way to a full queue, though another has more waiting', () => {
    const { queue, done, turn } = stage();
    for (const name of ['a1', 'a2', 'a3']) queue.add({ principalId: 'a', ...turn(name) });
    queryThroughQueue(queue, { places: 0 }, turn('question'));
    expect([done, queue.size]).toEqual([['question gave way'], 3]);
  });

  it('gives way to somebody who comes later and has fewer waiting', () => {
    const { queue, done, turn } = stage();
    for (const name of ['q1', 'q2', 'q3']) queryThroughQueue(queue, { places: 0 }, turn(name));
    queue.add({ principalId: 'a', ...turn('a1') });
    expect([done, queue.size]).toEqual([['q3 gave way'], 3]);
  });
});
