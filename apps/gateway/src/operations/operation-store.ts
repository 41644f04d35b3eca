import { ownBytes } from '@qmp-gateway/qmp';
import type { Level } from '../access/principal.js';
import type { Problem } from '../problems/problem.js';

/** What became of one command, for those who come back to ask. */
export interface Operation {
  readonly id: string;
  readonly vm: string;
  readonly command: string;
  readonly principalId: string;
  /** The level it was begun with; what it returned is for whoever has it still. */
  readonly level: Level;
  readonly started: number;
  epoch: string | null;
  state: 'running' | 'done' | 'failed' | 'lost';
  ended: number;
  /** A return value as its bytes, or (small ones) each byte as a character. */
  result: Buffer | string | Problem | null;
  /** Called once when it ends, by whatever way; null while nobody has waited. */
  whenEnded: Set<() => void> | null;
}

const keptMs = 10 * 60_000;
const keptPerVm = 1000;
const keptBytes = 64 * 2 ** 20;
/** What a kept result may hold of memory that is not its own, as `ownBytes` leaves it. */
const slackBytes = 512;
/** Up to here a buffer costs more than its bytes. */
const smallBytes = 4096;
/** What an operation costs without its result, roughly. */
const overheadBytes = 300 + slackBytes;

/** The operations of one VM. `ended` is in the order they ended, read from `head`. */
interface VmOperations {
  readonly running: Operation[];
  ended: (Operation | undefined)[];
  head: number;
}

/**
 * Every command has an operation from the moment it is accepted. Ended ones are kept for 10 minutes, 1,000 for each VM
 * and 64 MiB in all; running ones as long as they run (the queue and the window bound those).
 *
 * Arrays and a search at the rare look-up: each command passes through here, and the churn of a Map costs more than
 * the rest of the command path (see CommandQueue).
 */
export class OperationStore {
  readonly #byVm = new Map<string, VmOperations>();
  readonly #prefix: string;
  #bytes = 0;
  #count = 0;

  constructor(
    run: string,
    private readonly now: () => number = Date.now,
  ) {
    this.#prefix = `${run}-`;
  }

  /** An id that no operation has had, nor will have in a later run. */
  nextId(): string {
    return this.#prefix + (this.#count++).toString(36);
  }

  begin(vm: string, command: string, principalId: string, level: Level = 'read'): Operation {
    const operation: Operation = {
      id: this.nextId(),
      vm,
      command,
      principalId,
      level,
      started: this.now(),
      epoch: null,
      state: 'running',
      ended: 0,
      result: null,
      whenEnded: null,
    };
    this.#of(vm).running.push(operation);
    return operation;
  }

  /** Keeps nothing of an operation that runs no more. */
  drop(operation: Operation): void {
    this.#stopped(this.#of(operation.vm), operation);
    wake(operation);
  }

  end(operation: Operation, state: 'done' | 'failed' | 'lost', result: Buffer | Problem): void {
    operation.state = state;
    operation.result = Buffer.isBuffer(result) ? kept(result) : result;
    operation.ended = this.now();
    const own = this.#of(operation.vm);
    this.#stopped(own, operation);
    own.ended.push(operation);
    this.#bytes += bytesOf(operation);
    if (own.ended.length - own.head > keptPerVm) this.#forgetOldest(own);
    if (this.#bytes > keptBytes) this.#makeRoom();
    wake(operation);
  }

  /** @returns undefined when there is none, or no longer. */
  get(vm: string, id: string): Operation | undefined {
    return this.list(vm).find((operation) => operation.id === id);
  }

  /** Running ones first, then the ended in the order they ended. */
  list(vm: string): Operation[] {
    const own = this.#byVm.get(vm);
    if (own === undefined) return [];
    const oldest = this.now() - keptMs;
    while ((own.ended[own.head]?.ended ?? Infinity) <= oldest) this.#forgetOldest(own);
    return [...own.running, ...own.ended.slice(own.head).filter((operation) => operation !== undefined)];
  }

  #stopped({ running }: VmOperations, operation: Operation): void {
    const last = running.pop();
    if (last !== undefined && last !== operation) running[running.indexOf(operation)] = last;
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
  #makeRoom(): void {
    for (const vm of this.#byVm.keys()) this.list(vm);
    while (this.#bytes > keptBytes) {
      let oldest: VmOperations | undefined;
      for (const own of this.#byVm.values())
        if ((own.ended[own.head]?.ended ?? Infinity) < (oldest?.ended[oldest.head]?.ended ?? Infinity)) oldest = own;
      if (oldest === undefined) return;
      this.#forgetOldest(oldest);
    }
  }

  /** A VM that is no more leaves nothing behind. */
  forget(vm: string): void {
    const own = this.#byVm.get(vm);
    if (own === undefined) return;
    while (own.ended.length > own.head) this.#forgetOldest(own);
    if (own.running.length === 0) this.#byVm.delete(vm);
  }
}

function wake(operation: Operation): void {
  const waiters = operation.whenEnded;
  operation.whenEnded = null;
  if (waiters !== null) for (const waiter of waiters) waiter();
}

/** A slice keeps the whole chunk it arrived in; in a flood of events that is a thousand times as much. */
function kept(result: Buffer): Buffer | string {
  return result.length <= smallBytes ? result.toString('latin1') : ownBytes(result);
}

/** The return value of a command that was done, as QEMU wrote it; null for one that was not. */
export function returnedText({ result }: Operation): string | null {
  if (typeof result === 'string') return Buffer.from(result, 'latin1').toString();
  return Buffer.isBuffer(result) ? result.toString() : null;
}

function bytesOf(operation: Operation): number {
  const { result } = operation;
  if (result === null) return overheadBytes;
  if (typeof result === 'string' || Buffer.isBuffer(result)) return overheadBytes + result.length;
  // What the VM said is in its detail once more.
  return overheadBytes + result.detail.length + (result.fields.qmp?.desc.length ?? 0);
}
