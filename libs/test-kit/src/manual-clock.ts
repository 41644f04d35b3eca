import type { Clock, Timer } from '@qmp-gateway/qmp';

interface Planned {
  readonly at: number;
  readonly task: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  #planned = new Set<Planned>();

  /** @param wallAtStart what the clock on the wall shows at first, milliseconds since 1970 */
  constructor(private readonly wallAtStart = 1_700_000_000_000) {}

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.wallAtStart + this.#now;
  }

  schedule(milliseconds: number, task: () => void): Timer {
    const planned = { at: this.#now + milliseconds, task };
    this.#planned.add(planned);
    return { cancel: () => void this.#planned.delete(planned), unref: () => undefined };
  }

  /** Number of waiting timers. */
  get pending(): number {
    return this.#planned.size;
  }

  /** Advances, and runs due timers in order. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#planned].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#planned.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
    }
    this.#now = until;
  }
}
