import type { Work } from './work.js';

/** How long ended work is kept. */
const keptMs = 24 * 60 * 60_000;
/** Work kept in all, and its bytes. */
const keptInAll = { count: 10_000, bytes: 64 * 2 ** 20 };
/** What work costs without its texts, roughly. */
const overheadBytes = 1000;
const overheadOfEvent = 200;

/** The work of one VM. */
interface OwnWorks {
  /** In the order they were started. */
  readonly all: Set<Work>;
  /** In the order they ended. */
  readonly ended: Set<Work>;
  bytes: number;
}

/**
 * Work that is kept: all that goes on, and what ended within a day, 10,000 and 64 MiB in all. Past that the VM of which
 * most is kept loses what ended first there, so that nobody's outcomes are driven out by somebody else's.
 */
export class WorkStore {
  /** In the order they were started. */
  readonly #works = new Map<string, Work>();
  readonly #byVm = new Map<string, OwnWorks>();
  readonly #bytesOf = new Map<Work, number>();
  #bytes = 0;

  constructor(private readonly bound = keptInAll) {}

  add(work: Work): void {
    const { id, vm } = work.record;
    let own = this.#byVm.get(vm);
    if (own === undefined) {
      own = { all: new Set(), ended: new Set(), bytes: 0 };
      this.#byVm.set(vm, own);
    }
    this.#works.set(id, work);
    own.all.add(work);
    if (work.over) own.ended.add(work);
    this.#measure(work, own);
  }

  /** It is over, and will not change any more. */
  ended(work: Work): void {
    const own = this.#byVm.get(work.record.vm);
    if (own?.all.has(work) !== true) return;
    own.ended.add(work);
    this.#measure(work, own);
  }

  remove(work: Work): void {
    const { id, vm } = work.record;
    const own = this.#byVm.get(vm);
    if (own?.all.delete(work) !== true) return;
    own.ended.delete(work);
    this.#works.delete(id);
    this.#count(work, own, 0);
    this.#bytesOf.delete(work);
    if (own.all.size === 0) this.#byVm.delete(vm);
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
    return [...(this.#byVm.get(vm)?.all ?? [])];
  }

  /** Forgets what ended more than a day ago. @param now wall-clock milliseconds */
  expire(now: number): void {
    for (const work of this.#works.values()) {
      const { ended } = work.record;
      if (ended !== null && ended <= now - keptMs) this.remove(work);
    }
  }

  /** What goes on is bounded by how much may go on at a VM, and counted by what is known of it at its beginning. */
  #measure(work: Work, own: OwnWorks): void {
    this.#count(work, own, sizeOf(work));
    // Where the newest is all there is to forget it stays: somebody is just about to be told of it.
    while (this.#works.size > this.bound.count && this.#forgetOne(work, ({ ended }) => ended.size));
    while (this.#bytes > this.bound.bytes && this.#forgetOne(work, ({ bytes }) => bytes));
  }

  #count(work: Work, own: OwnWorks, bytes: number): void {
    const more = bytes - (this.#bytesOf.get(work) ?? 0);
    this.#bytesOf.set(work, bytes);
    own.bytes += more;
    this.#bytes += more;
  }

  /** @returns false when nothing is left to forget */
  #forgetOne(newest: Work, held: (own: OwnWorks) => number): boolean {
    let most: OwnWorks | undefined;
    for (const own of this.#byVm.values())
      if (first(own.ended) !== undefined && held(own) > (most === undefined ? 0 : held(most))) most = own;
    const oldest = most && first(most.ended);
    if (oldest === undefined || oldest === newest) return false;
    this.remove(oldest);
    return true;
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const one of set) return one;
  return undefined;
}

function sizeOf({ record }: Work): number {
  const { subject, result, problem, events } = record;
  const texts = [subject, result ?? '', problem === null ? '' : JSON.stringify(problem)];
  const ofEvents = events.reduce((sum, { data }) => sum + data.length + overheadOfEvent, 0);
  return texts.reduce((sum, text) => sum + text.length, overheadBytes + ofEvents);
}
