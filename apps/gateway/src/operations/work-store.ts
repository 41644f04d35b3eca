import type { Work } from './work.js';

/** How long ended work is kept. */
const keptMs = 24 * 60 * 60_000;
/** Work kept in all; past it what was started first, of what has ended, is forgotten. */
const keptCount = 10_000;

/** Work that is kept: all that goes on, and what ended within a day, 10,000 in all. */
export class WorkStore {
  /** In the order they were started. */
  readonly #works = new Map<string, Work>();

  constructor(private readonly bound = keptCount) {}

  get size(): number {
    return this.#works.size;
  }

  add(work: Work): void {
    this.#works.set(work.record.id, work);
    if (this.#works.size > this.bound) this.#forgetOne();
  }

  remove(work: Work): void {
    this.#works.delete(work.record.id);
  }

  get(vm: string, id: string): Work | undefined {
    const work = this.#works.get(id);
    return work?.record.vm === vm ? work : undefined;
  }

  /** In the order they were started. */
  all(): IterableIterator<Work> {
    return this.#works.values();
  }

  of(vm: string): Work[] {
    return [...this.#works.values()].filter(({ record }) => record.vm === vm);
  }

  /** Forgets what ended more than a day ago. @param now wall-clock milliseconds */
  expire(now: number): void {
    for (const [id, work] of this.#works) {
      const { ended } = work.record;
      if (ended !== null && ended <= now - keptMs) this.#works.delete(id);
    }
  }

  #forgetOne(): void {
    for (const [id, work] of this.#works) {
      if (!work.over) continue;
      this.#works.delete(id);
      return;
    }
  }
}
