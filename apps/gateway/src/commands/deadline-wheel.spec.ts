import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { ManualClock } from '@qmp-gateway/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WheelDeadline, DeadlineWheel } from './deadline-wheel.js';

class Noted extends WheelDeadline {
  readonly passedAt: number[] = [];

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly then: () => void = () => undefined,
  ) {
    super();
  }

  passed(): void {
    this.passedAt.push(this.clock.now());
    this.then();
  }
}

function wheelAt(now = 0) {
  const clock = new ManualClock();
  clock.advance(now);
  return { clock, wheel: new DeadlineWheel(clock) };
}

type Step =
  | { readonly kind: 'start'; readonly who: number; readonly in: number }
  | { readonly kind: 'cancel'; readonly who: number }
  | { readonly kind: 'advance'; readonly by: number };

const who = fc.nat(7);
const milliseconds = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.nat(20_000), fc.constant(4096));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('start' as const), who, in: milliseconds }),
  fc.record({ kind: fc.constant('cancel' as const), who }),
  fc.record({ kind: fc.constant('advance' as const), by: milliseconds }),
);

describe('the wheel', () => {
  it('tells each deadline once, never early, never over a millisecond late, and none that was cancelled', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.array(step, { maxLength: 60 }), (start, steps) => {
        const { clock, wheel } = wheelAt(start);
        const deadlines = Array.from({ length: 8 }, () => new Noted(clock));
        /** When each is due; undefined when it is not started. */
        const dueAt = new Array<number | undefined>(8).fill(undefined);
        const check = () => {
          deadlines.forEach((deadline, at) => {
            const due = dueAt[at];
            const told = deadline.passedAt.splice(0);
            if (told.length === 0) {
              // The clock of the test may have jumped over the moment.
              if (due !== undefined) expect(clock.now()).toBeLessThan(due + 1);
              return;
            }
            expect(due).toBeDefined();
            expect(told).toHaveLength(1);
            expect(told[0]).toBeGreaterThanOrEqual(due ?? NaN);
            expect(told[0]).toBeLessThan((due ?? NaN) + 1.000_001);
            dueAt[at] = undefined;
          });
        };
        for (const each of steps) {
          if (each.kind === 'advance') clock.advance(each.by);
          else if (each.kind === 'start') {
            const [deadline] = deadlines.slice(each.who);
            const at = clock.now() + each.in;
            if (deadline !== undefined) wheel.start(deadline, at);
            dueAt[each.who] = at;
          } else {
            const [deadline] = deadlines.slice(each.who);
            if (deadline !== undefined) wheel.cancel(deadline);
            dueAt[each.who] = undefined;
          }
          check();
        }
        clock.advance(30_000);
        check();
        expect(dueAt.every((due) => due === undefined)).toBe(true);
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('tells those of one moment, and of several, in the order they were started', () => {
    const { clock, wheel } = wheelAt();
    const order: string[] = [];
    const noted = (name: string) => new Noted(clock, () => order.push(name));
    for (const [name, at] of [['b', 20] as const, ['c', 20] as const, ['d', 21] as const, ['a', 10] as const])
      wheel.start(noted(name), at);
    clock.advance(10_000);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is no later for a clock between two milliseconds', () => {
    const { clock, wheel } = wheelAt(3.82);
    const deadline = new Noted(clock);
    wheel.start(deadline, 4.1);
    clock.advance(100);
    expect(deadline.passedAt).toEqual([5]);
  });

  it('tells nobody from within start, be the time over long ago', () => {
    const { clock, wheel } = wheelAt(5000);
    const late = new Noted(clock);
    wheel.start(late, 1000);
    expect(late.passedAt).toEqual([]);
    clock.advance(0);
    expect(late.passedAt).toEqual([5000]);
  });

  it('heeds what a deadline does when it passes: others cancelled, started, itself again', () => {
    const { clock, wheel } = wheelAt();
    const cancelled = new Noted(clock);
    const started = new Noted(clock);
    const again: Noted = new Noted(clock, () => {
      wheel.cancel(cancelled);
      wheel.start(started, clock.now());
      if (again.passedAt.length < 3) wheel.start(again, clock.now() + 100);
    });
    wheel.start(again, 50);
    wheel.start(cancelled, 50);
    clock.advance(1000);
    expect(again.passedAt).toEqual([50, 150, 250]);
    expect(started.passedAt).toEqual([51, 151, 251]);
    expect(cancelled.passedAt).toEqual([]);
  });

  it('tells the others when one fails', () => {
    const { clock, wheel } = wheelAt();
    const failing = new Noted(clock, () => {
      throw new Error('a fault');
    });
    const other = new Noted(clock);
    wheel.start(failing, 10);
    wheel.start(other, 10);
    expect(() => clock.advance(10)).toThrow('a fault');
    clock.advance(1);
    expect(other.passedAt).toHaveLength(1);
  });

  it('has one timer, and none of its own for a deadline that comes and goes', () => {
    const { clock, wheel } = wheelAt();
    for (let n = 0; n < 1000; n++) {
      const deadline = new Noted(clock);
      wheel.start(deadline, clock.now() + 5000);
      clock.advance(1);
      wheel.cancel(deadline);
      expect(clock.pending).toBe(1);
    }
    clock.advance(5000);
    expect(clock.pending).toBe(0);
  });

  it('keeps its time by the real clock, and keeps no process alive', async () => {
    const unreferenced: number[] = [];
    const clock: Clock = {
      now: () => systemClock.now(),
      wall: () => systemClock.wall(),
      schedule: (ms, task) => {
        const timer = systemClock.schedule(ms, task);
        const unref = () => void unreferenced.push(ms);
        return { cancel: () => timer.cancel(), unref };
      },
    };
    const wheel = new DeadlineWheel(clock);
    const at = clock.now() + 20.5;
    const passedAt = await new Promise<number>((resolve) => {
      const deadline: Noted = new Noted(clock, () => resolve(deadline.passedAt[0] ?? NaN));
      wheel.start(deadline, at);
    });
    expect(passedAt).toBeGreaterThanOrEqual(at);
    expect(unreferenced.length).toBeGreaterThan(0);
  });
});
