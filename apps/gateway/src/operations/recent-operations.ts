import type { Operation } from './operation.js';

const keptMs = 10 * 60_000;
const keptPerVm = 1000;
const keptBytes = 64 * 2 ** 20;
/** What a kept result may hold of memory that is not its own, as `ownBytes` leaves it. */
const slackBytes = 512;
/** What an operation costs without its result, roughly. */
const overheadBytes = 300 + slackBytes;

/** The operations of one VM. `ended` is in the order they ended, read from `head`. */
interface VmOperations {
  readonly running: Operation[];
  ended: (Operation | undefined)[];
  head: number;
}

/**
 * Commands that run, and those that were done with their reply: kept for 10 minutes, 1,000 for each VM and 64 MiB in all.
 * The queue and the window bound those that run.
 *
 * Arrays and a search at the rare look-up: each command passes through here, and the churn of a Map costs more than
 * the rest of the command path (see CommandQueue).
 */
export class RecentOperations {
  readonly #byVm = new Map<string, VmOperations>();
  #bytes = 0;

  begin(operation: Operation): void {
    this.#of(operation.vm).running.push(operation);
  }

  /** It runs no more, and is kept elsewhere or not at all. */
  leave(operation: Operation): void {
    stopped(this.#of(operation.vm), operation);
  }

  /** It has ended. @param now wall-clock milliseconds */
  ended(operation: Operation, now: number): void {
    const own = this.#of(operation.vm);
    stopped(own, operation);
    own.ended.push(operation);
    this.#bytes += bytesOf(operation);
    if (own.ended.length - own.head > keptPerVm) this.#forgetOldest(own);
    if (this.#bytes > keptBytes) this.#makeRoom(now);
  }

  /** Running ones first, then the ended in the order they ended. @param now wall-clock milliseconds */
  of(vm: string, now: number): Operation[] {
    const own = this.#byVm.get(vm);
    if (own === undefined) return [];
    const oldest = now - keptMs;
    while ((own.ended[own.head]?.ended ?? Infinity) <= oldest) this.#forgetOldest(own);
    return [...own.running, ...own.ended.slice(own.head).filter((operation) => operation !== undefined)];
  }

  /** A VM that is gone leaves nothing behind. */
  forget(vm: string): void {
    const own = this.#byVm.get(vm);
    if (own === undefined) return;
    while (own.ended.length > own.head) this.#forgetOldest(own);
    if (own.running.length === 0) this.#byVm.delete(vm);
  }

  #of(vm: string): VmOperations {
    let own = this.#byVm.get(vm);
    if (own === undefined) {
      own = { running: [], ended: [], head: 0 };
      this.#byVm.set(vm, own);
    }
    return own;
  }

  #forgetOldest(own: VmOperations): void {
    const oldest = own.ended[own.head];
    if (oldest === undefined) return;
    this.#bytes -= bytesOf(oldest);
    own.ended[own.head++] = undefined;
    if (own.head < keptPerVm) return;
    own.ended = own.ended.slice(own.head);
    own.head = 0;
  }

  /** Over the bound in all: the time limit first, then the VM that ended something longest ago, again and again. */
  #makeRoom(now: number): void {
    for (const vm of this.#byVm.keys()) this.of(vm, now);
    while (this.#bytes > keptBytes) {
      let oldest: VmOperations | undefined;
      for (const own of this.#byVm.values())
        if ((own.ended[own.head]?.ended ?? Infinity) < (oldest?.ended[oldest.head]?.ended ?? Infinity)) oldest = own;
      if (oldest === undefined) return;
      this.#forgetOldest(oldest);
    }
  }
}

function stopped({ running }: VmOperations, operation: Operation): void {
  const last = running.pop();
  if (last !== undefined && last !== operation) running[running.indexOf(operation)] = last;
}

function bytesOf({ result, problem }: Operation): number {
  const ofResult = result === null ? 0 : result.length;
  if (problem === null) return overheadBytes + ofResult;
  // What the VM said is in its detail once more.
  return overheadBytes + ofResult + problem.detail.length + (problem.fields.qmp?.desc.length ?? 0);
}
