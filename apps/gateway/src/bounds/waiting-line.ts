import { Semaphore, systemClock, type Clock } from '@qmp-gateway/qmp';

/** Why somebody got no place: too many wait already, or none came free in time. */
export type NoPlace = 'full' | 'late';

/** Bounds what runs at once, and who waits for a place: how many, and how long. First come, first served. */
export class WaitingLine {
  readonly #places: Semaphore;

  /**
   * @param most tasks at once
   * @param mostWaiting for a place
   */
  constructor(
    most: number,
    private readonly mostWaiting: number,
    private readonly clock: Clock = systemClock,
  ) {
    this.#places = new Semaphore(most);
  }

  /**
   * Runs the task when a place is free.
   * @param waitMs the longest wait for it
   * @param refusal what to throw when none came free; the task is not begun then
   */
  async run<T>(task: () => Promise<T>, waitMs: number, refusal: (why: NoPlace) => Error): Promise<T> {
    const why = await this.#enter(waitMs);
    if (why !== undefined) throw refusal(why);
    try {
      return await task();
    } finally {
      this.#places.leave();
    }
  }

  async #enter(waitMs: number): Promise<NoPlace | undefined> {
    if (this.#places.tryEnter()) return undefined;
    if (this.#places.waiting >= this.mostWaiting) return 'full';
    return new Promise((resolve) => {
      const begin = (): void => {
        timer.cancel();
        resolve(undefined);
      };
      const timer = this.clock.schedule(Math.max(0, waitMs), () => {
        this.#places.withdraw(begin);
        resolve('late');
      });
      this.#places.enter(begin);
    });
  }
}
