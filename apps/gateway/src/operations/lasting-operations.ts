import type { WorkingOperation } from './operation.js';

/** How long what has ended is kept. */
const keptMs = 24 * 60 * 60_000;
/** Operations kept in all, and their bytes. */
const keptInAll = { count: 10_000, bytes: 64 * 2 ** 20 };
/** What an operation costs without its texts, roughly. */
const overheadBytes = 1000;
const overheadOfEvent = 200;

/** The operations of one VM. */
interface OwnOperations {
  /** In the order they were started. */
  readonly all: Set<WorkingOperation>;
  /** In the order they ended. */
  readonly ended: Set<WorkingOperation>;
  bytes: number;
}

/**
 * Operations whose work goes on after the reply: all that go on, and what ended within a day, 10,000 and 64 MiB in all.
 * Past that the VM of which most is kept loses what ended first there, so that nobody's outcomes are driven out by
 * somebody else's.
 */
export class LastingOperations {
  /** In the order they were started. */
  readonly #operations = new Map<string, WorkingOperation>();
  readonly #byVm = new Map<string, OwnOperations>();
  readonly #bytesOf = new Map<WorkingOperation, number>();
  #bytes = 0;

  /** @param bound of what is kept */
  constructor(private readonly bound = keptInAll) {}

  add(operation: WorkingOperation): void {
    const { id, vm } = operation;
    let own = this.#byVm.get(vm);
    if (own === undefined) {
      own = { all: new Set(), ended: new Set(), bytes: 0 };
      this.#byVm.set(vm, own);
    }
    this.#operations.set(id, operation);
    own.all.add(operation);
    if (operation.over) own.ended.add(operation);
    this.#measure(operation, own);
  }

  /** It is over, and will not change any more. */
  ended(operation: WorkingOperation): void {
    const own = this.#byVm.get(operation.vm);
    if (own?.all.has(operation) !== true) return;
    own.ended.add(operation);
    this.#measure(operation, own);
  }

  remove(operation: WorkingOperation): void {
    const { id, vm } = operation;
    const own = this.#byVm.get(vm);
    if (own?.all.delete(operation) !== true) return;
    own.ended.delete(operation);
    this.#operations.delete(id);
    this.#count(operation, own, 0);
    this.#bytesOf.delete(operation);
    if (own.all.size === 0) this.#byVm.delete(vm);
  }

  get(vm: string, id: string): WorkingOperation | undefined {
    const operation = this.#operations.get(id);
    return operation?.vm === vm ? operation : undefined;
  }

  /** In the order they were started. */
  all(): IterableIterator<WorkingOperation> {
    return this.#operations.values();
  }

  /** Those of one VM, in the order they were started. */
  of(vm: string): WorkingOperation[] {
    return [...(this.#byVm.get(vm)?.all ?? [])];
  }

  /** Forgets what ended more than a day ago. @param now wall-clock milliseconds */
  expire(now: number): void {
    for (const operation of this.#operations.values())
      if (operation.over && operation.ended <= now - keptMs) this.remove(operation);
  }

  /** What goes on is bounded by how much may go on at a VM, and counted by what is known of it at its beginning. */
  #measure(operation: WorkingOperation, own: OwnOperations): void {
    this.#count(operation, own, sizeOf(operation));
    // Where the newest is all there is to forget it stays: somebody is just about to be told of it.
    while (this.#operations.size > this.bound.count && this.#forgetOne(operation, ({ ended }) => ended.size));
    while (this.#bytes > this.bound.bytes && this.#forgetOne(operation, ({ bytes }) => bytes));
  }

  #count(operation: WorkingOperation, own: OwnOperations, bytes: number): void {
    const more = bytes - (this.#bytesOf.get(operation) ?? 0);
    this.#bytesOf.set(operation, bytes);
    own.bytes += more;
    this.#bytes += more;
  }

  /** @returns false when nothing is left to forget */
  #forgetOne(newest: WorkingOperation, held: (own: OwnOperations) => number): boolean {
    let most: OwnOperations | undefined;
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

function sizeOf({ result, problem, work }: WorkingOperation): number {
  const ofProblem = problem === null ? 0 : JSON.stringify([problem.code, problem.detail, problem.fields]).length;
  const ofEvents = work.events.reduce((sum, { data }) => sum + data.length + overheadOfEvent, 0);
  return overheadBytes + work.subject.length + (result?.length ?? 0) + ofProblem + ofEvents;
}
