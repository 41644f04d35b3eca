import type { Clock, Timer } from '@qmp-gateway/qmp';

/** Slots of a millisecond each, a power of two; what is due later stays in its slot for further turns of the wheel. */
const slotCount = 4096;
/** The list of those whose time has come and who have not been told yet. */
const dueSlot = slotCount;
const nowhere = -1;

/**
 * Something that happens at a time unless it is cancelled. It is itself a link of the wheel's lists, so that to wait,
 * which every command does and nearly none to the end, makes no further object.
 */
export abstract class WheelDeadline {
  /** The four are the wheel's: which list it is in, when it is due (on the monotonic clock), and its neighbours. */
  slot = nowhere;
  tick = 0;
  before: WheelDeadline | undefined = undefined;
  after: WheelDeadline | undefined = undefined;

  /** The time has come. Never called from within `start`, nor after `cancel`. */
  abstract passed(): void;
}

/**
 * Deadlines by the thousand of which nearly all are cancelled: a timer of the engine for each costs several times as
 * much. None passes early, and none more than a millisecond late, as far as timers keep their time. One timer runs, for
 * the earliest; it keeps no process alive.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #slots = new Array<WheelDeadline | undefined>(slotCount + 1).fill(undefined);
  /** Deadlines in the slots. */
  #count = 0;
  /** All up to this millisecond have passed. */
  #passed = 0;
  #timer: Timer | undefined;
  /** What the timer runs for. */
  #awaited = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param at monotonic milliseconds; of one that was started before, in place of the time it had */
  start(deadline: WheelDeadline, at: number): void {
    this.cancel(deadline);
    const tick = Math.max(Math.ceil(at), this.#passed + 1);
    deadline.tick = tick;
    this.#link(deadline, tick % slotCount);
    if (tick < this.#awaited) this.#await(tick);
  }

  /** Does nothing for one that is not started, or has passed. */
  cancel(deadline: WheelDeadline): void {
    if (deadline.slot !== nowhere) this.#unlink(deadline);
  }

  #link(deadline: WheelDeadline, slot: number): void {
    const first = this.#slots[slot];
    if (first !== undefined) first.before = deadline;
    deadline.slot = slot;
    deadline.after = first;
    this.#slots[slot] = deadline;
    this.#count++;
  }

  #unlink(deadline: WheelDeadline): void {
    const { slot, before, after } = deadline;
    if (before === undefined) this.#slots[slot] = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    deadline.slot = nowhere;
    deadline.before = deadline.after = undefined;
    this.#count--;
  }

  /** Not rounded up: a timer that comes a fraction early, as the engine's may, is set once more. */
  #await(tick: number): void {
    this.#timer?.cancel();
    this.#awaited = tick;
    this.#timer = this.#clock.schedule(Math.max(0, tick - this.#clock.now()), this.#wake);
    this.#timer.unref();
  }

  readonly #wake = (): void => {
    this.#timer = undefined;
    this.#awaited = Infinity;
    this.#collect(Math.floor(this.#clock.now()));
    try {
      for (let due = this.#slots[dueSlot]; due !== undefined; due = this.#slots[dueSlot]) {
        this.#unlink(due);
        due.passed();
      }
    } finally {
      this.#awaitNext();
    }
  };

  /** Moves what is due to the list of those: the latest first, as each goes to its front. */
  #collect(until: number): void {
    const from = Math.max(this.#passed + 1, until - slotCount + 1);
    for (let tick = until; tick >= from; tick--) {
      let deadline = this.#slots[tick % slotCount];
      while (deadline !== undefined) {
        const { after } = deadline;
        if (deadline.tick <= until) {
          this.#unlink(deadline);
          this.#link(deadline, dueSlot);
        }
        deadline = after;
      }
    }
    this.#passed = Math.max(this.#passed, until);
  }

  #awaitNext(): void {
    if (this.#count === 0) return;
    // Whoever failed at being told left others untold.
    let next = this.#passed + 1;
    if (this.#slots[dueSlot] === undefined) while (this.#slots[next % slotCount] === undefined) next++;
    if (next < this.#awaited) this.#await(next);
  }
}
