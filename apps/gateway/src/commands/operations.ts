import { problemBody, type Problem } from '../problems/problem.js';

/** What became of one command, for those who come back to ask. */
export interface Operation {
  readonly id: string;
  readonly vm: string;
  readonly command: string;
  readonly principalId: string;
  readonly started: number;
  epoch: string | null;
  state: 'running' | 'done' | 'failed' | 'lost';
  ended: number | null;
  result: Buffer | Problem | null;
}

const keptMs = 10 * 60_000;
const keptPerVm = 1000;
const keptBytes = 64 * 2 ** 20;
/** What an operation without a result costs, roughly. */
const overheadBytes = 200;

/**
 * Every command has an operation from the moment it is accepted. Ended ones are kept for 10 minutes, 1,000 for each VM
 * and 64 MiB in all; running ones as long as they run (the queue and the window bound those).
 */
export class OperationStore {
  readonly #byVm = new Map<string, Map<string, Operation>>();
  /** Ended operations, oldest first, over all VMs. */
  readonly #ended = new Set<Operation>();
  readonly #endedPerVm = new Map<string, number>();
  readonly #prefix: string;
  #bytes = 0;
  #count = 0;

  constructor(
    run: string,
    private readonly now: () => number = Date.now,
  ) {
    this.#prefix = `${run}-`;
  }

  begin(vm: string, command: string, principalId: string): Operation {
    const id = this.#prefix + (this.#count++).toString(36);
    const started = this.now();
    const operation: Operation = {
      id,
      vm,
      command,
      principalId,
      started,
      epoch: null,
      state: 'running',
      ended: null,
      result: null,
    };
    let own = this.#byVm.get(vm);
    if (own === undefined) {
      own = new Map();
      this.#byVm.set(vm, own);
    }
    own.set(id, operation);
    return operation;
  }

  end(operation: Operation, state: 'done' | 'failed' | 'lost', result: Buffer | Problem): void {
    operation.state = state;
    operation.result = result;
    operation.ended = this.now();
    this.#ended.add(operation);
    this.#bytes += bytesOf(operation);
    const ofVm = (this.#endedPerVm.get(operation.vm) ?? 0) + 1;
    this.#endedPerVm.set(operation.vm, ofVm);
    if (ofVm > keptPerVm) this.#forgetOldestOf(operation.vm);
    this.#expire();
  }

  /** @returns undefined when there is none, no longer or not for this principal. */
  get(vm: string, id: string): Operation | undefined {
    this.#expire();
    return this.#byVm.get(vm)?.get(id);
  }

  list(vm: string): Operation[] {
    this.#expire();
    return [...(this.#byVm.get(vm)?.values() ?? [])];
  }

  #expire(): void {
    const oldest = this.now() - keptMs;
    for (const operation of this.#ended) {
      if (this.#bytes <= keptBytes && (operation.ended ?? 0) > oldest) return;
      this.#forget(operation);
    }
  }

  #forgetOldestOf(vm: string): void {
    for (const operation of this.#byVm.get(vm)?.values() ?? []) {
      if (operation.state === 'running') continue;
      this.#forget(operation);
      return;
    }
  }

  #forget(operation: Operation): void {
    this.#ended.delete(operation);
    this.#bytes -= bytesOf(operation);
    const own = this.#byVm.get(operation.vm);
    own?.delete(operation.id);
    if (own?.size === 0) this.#byVm.delete(operation.vm);
    const left = (this.#endedPerVm.get(operation.vm) ?? 1) - 1;
    if (left === 0) this.#endedPerVm.delete(operation.vm);
    else this.#endedPerVm.set(operation.vm, left);
  }
}

function bytesOf(operation: Operation): number {
  return overheadBytes + (Buffer.isBuffer(operation.result) ? operation.result.length : 0);
}

/** An operation as JSON; a return value is spliced in as QEMU wrote it. */
export function renderOperation(operation: Operation): string {
  const { id, vm, command, state, epoch, started, ended, result } = operation;
  const head = JSON.stringify({
    id,
    vm,
    command,
    state,
    epoch,
    started: new Date(started).toISOString(),
    ended: ended === null ? null : new Date(ended).toISOString(),
  });
  if (result === null) return head;
  const tail = Buffer.isBuffer(result)
    ? `"return":${result.toString()}`
    : `"problem":${JSON.stringify(problemBody(result))}`;
  return `${head.slice(0, -1)},${tail}}`;
}
