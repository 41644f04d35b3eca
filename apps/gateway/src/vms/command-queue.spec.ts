import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandQueue, type QueuedCommand } from './command-queue.js';

interface Named extends QueuedCommand {
  readonly n: number;
  refused: boolean;
  gaveWay: boolean;
}

function command(principalId: string, n = 0): Named {
  const made: Named = {
    ...{ principalId, n, refused: false, gaveWay: false, send: () => undefined },
    refuse: () => (made.refused = true),
    giveWay: () => (made.gaveWay = true),
  };
  return made;
}

const names = (queue: CommandQueue) => {
  const taken: string[] = [];
  for (let next = queue.next(); next !== undefined; next = queue.next())
    taken.push(`${next.principalId}${(next as Named).n}`);
  return taken;
};

describe('the queue of commands', () => {
  it('takes turns over principals, each in its own order', () => {
    const queue = new CommandQueue({ queue: 10 });
    for (const n of [1, 2, 3]) queue.add(command('a', n));
    queue.add(command('b', 1));
    queue.add(command('c', 1));
    expect(names(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
  });

  it('puts who comes back behind those who wait', () => {
    const queue = new CommandQueue({ queue: 10 });
    queue.add(command('a', 1));
    queue.add(command('b', 1));
    expect((queue.next() as Named).principalId).toBe('a');
    queue.add(command('a', 2));
    expect(names(queue)).toEqual(['b1', 'a2']);
  });

  it('is bounded, whoever asks, and has room again after a turn or a withdrawal', () => {
    const queue = new CommandQueue({ queue: 2 });
    const [first, second] = [command('a'), command('b')];
    expect([queue.add(first), queue.add(second), queue.add(command('c'))]).toEqual([true, true, false]);
    queue.withdraw(second);
    queue.withdraw(second);
    expect([queue.size, queue.add(command('c')), queue.size]).toEqual([1, true, 2]);
    queue.next();
    expect(queue.size).toBe(1);
  });

  it('makes room for who has fewer: whoever has most gives up the last', () => {
    const queue = new CommandQueue({ queue: 4 });
    const greedy = [1, 2, 3, 4].map((n) => command('a', n));
    greedy.forEach((entry) => queue.add(entry));
    expect(queue.add(command('a', 5))).toBe(false);
    expect([queue.add(command('b', 1)), queue.add(command('b', 2)), queue.add(command('b', 3))]).toEqual([
      ...[true, true, false],
    ]);
    expect(greedy.map(({ gaveWay }) => gaveWay)).toEqual([false, false, true, true]);
    expect(queue.size).toBe(4);
    expect(names(queue)).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('refuses all that wait', () => {
    const queue = new CommandQueue({ queue: 10 });
    const waiting = ['a', 'b', 'a'].map((principal) => command(principal));
    waiting.forEach((entry) => queue.add(entry));
    queue.refuseAll();
    expect([queue.size, waiting.map(({ refused }) => refused)]).toEqual([0, [true, true, true]]);
  });

  it('lets nothing of a principal overtake what is held, and others have their turns', () => {
    const queue = new CommandQueue({ queue: 10 });
    const held = command('a', 1);
    for (const entry of [held, command('a', 2), command('b', 1)]) queue.add(entry);
    expect(queue.next()).toBe(held);
    queue.hold(held);
    queue.add(command('c', 1));
    expect([queue.size, names(queue), queue.size]).toEqual([4, ['b1', 'c1'], 2]);
    queue.add(command('b', 2));
    queue.release(held, true);
    expect([queue.size, names(queue)]).toEqual([3, ['a1', 'b2', 'a2']]);
  });

  it('goes on without what was held and ended', () => {
    const queue = new CommandQueue({ queue: 10 });
    const held = command('a', 1);
    queue.hold(held);
    queue.add(command('a', 2));
    expect(names(queue)).toEqual([]);
    queue.release(held, false);
    expect([names(queue), queue.size]).toEqual([['a2'], 0]);
  });

  it('refuses also what waits behind a held one', () => {
    const queue = new CommandQueue({ queue: 10 });
    queue.hold(command('a', 1));
    const behind = command('a', 2);
    queue.add(behind);
    queue.refuseAll();
    expect([behind.refused, queue.size]).toEqual([true, 0]);
  });

  it('never serves one principal twice while another has waited all along', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 }), (principals) => {
        const queue = new CommandQueue({ queue: 100 });
        principals.forEach((principal, n) => queue.add(command(principal, n)));
        const served: Named[] = [];
        for (let next = queue.next(); next !== undefined; next = queue.next()) served.push(next as Named);
        expect(served).toHaveLength(principals.length);
        const left = new Map<string, number>();
        for (const principal of principals) left.set(principal, (left.get(principal) ?? 0) + 1);
        const counts = new Map<string, number>();
        for (const { principalId } of served) {
          counts.set(principalId, (counts.get(principalId) ?? 0) + 1);
          for (const [other, total] of left)
            expect((counts.get(other) ?? 0) >= Math.min(total, (counts.get(principalId) ?? 0) - 1)).toBe(true);
        }
        for (const principal of left.keys()) {
          const order = served.filter(({ principalId }) => principalId === principal).map(({ n }) => n);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
    );
  });
});
