import type { Work } from './work.js';

/** How long ended work is kept. */
const keptMs = 24 * 60 * 60_000;
/** Work kept in all; past it what was started first, of what has ended, is forgotten. */
const keptCount = 10_000;

/** Work that is kept: all that goes on, and what ended within a day, 10,000 in all. */
export class WorkStore {
  /** In the order they were started. */
  readonly #works = new Map<string, Work>();
  readonly #byVm = new Map<string, Set<Work>>();

  constructor(private readonly bound = keptCount) {}

  get size(): number {
    return this.#works.size;
  }

  add(work: Work): void {
    const { id, vm } = work.record;
    this.#works.set(id, work);
    const own = this.#byVm.get(vm);
    if (own === undefined) this.#byVm.set(vm, new Set([work]));
    else own.add(work);
    if (this.#works.size > this.bound) this.#forgetOne();
  }

  remove(work: Work): void {
    const { id, vm } = work.record;
    this.#works.delete(id);
    const own = this.#byVm.get(vm);
    own?.delete(work);
    if (own?.size === 0) this.#byVm.delete(vm);
  }

  get(vm: string, id: string): Work | undefined {
    const work = this.#works.get(id);
    return work?.record.vm === vm ? work : undefined;
  }

  /** In the order they were started. */
  all(): IterableIterator<Work> {
    return this.#works.values();
  }

  /** Those of one VM, in the order they were started. */
  of(vm: string): Work[] {
    return [...(this.#byVm.get(vm) ?? [])];
  }

  /** Forgets what ended more than a day ago. @param now wall-clock milliseconds */
  expire(now: number): void {
    for (const work of this.#works.values()) {
      const { ended } = work.record;
      if (ended !== null && ended <= now - keptMs) this.remove(work);
    }
  }

  #forgetOne(): void {
    for (const work of this.#works.values()) {
      if (!work.over) continue;
      this.remove(work);
      return;
    }
  }
}
