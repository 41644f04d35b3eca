import { systemClock, type Clock } from '@qmp-gateway/qmp';

/** Why somebody got no turn: too many wait already, or it did not come in time. */
export type NoTurn = 'full' | 'late';

/** Bounds what is done at once: the others wait for their turn, in the order they came. */
export class Turns {
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  /**
   * @param most tasks at once
   * @param mostWaiting for their turn
   */
  constructor(
    private readonly most: number,
    private readonly mostWaiting: number,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Runs the task in its turn.
   * @param waitMs the longest wait for it
   * @param refusal what to throw when it does not come; the task is not begun then
   */
  async run<T>(task: () => Promise<T>, waitMs: number, refusal: (why: NoTurn) => Error): Promise<T> {
    const why = await this.#take(waitMs);
    if (why !== undefined) throw refusal(why);
    try {
      return await task();
    } finally {
      this.#pass();
    }
  }

  async #take(waitMs: number): Promise<NoTurn | undefined> {
    if (this.#taken < this.most) {
      this.#taken++;
      return undefined;
    }
    if (this.#waiting.size >= this.mostWaiting) return 'full';
    return new Promise((resolve) => {
      const begin = (): void => {
        timer.cancel();
        resolve(undefined);
      };
      const timer = this.clock.schedule(Math.max(0, waitMs), () => {
        this.#waiting.delete(begin);
        resolve('late');
      });
      this.#waiting.add(begin);
    });
  }

  /** To whoever waits longest; the place is never free in between. */
  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
