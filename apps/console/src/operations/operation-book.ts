import type { ListedOperation } from '@qmp-gateway/client';
import { Signal } from '../api/signal.js';

/** The gateway lists as many. */
const mostOperations = 1000;
/** Changes of so many milliseconds are shown together. */
const batchMs = 200;

/** What operations there are: a list, and what is heard of them after it. The newest first, within a bound. */
export class OperationBook {
  readonly changed = new Signal();
  /** Another array after each change. */
  rows: readonly ListedOperation[] = [];
  /** Undefined before the first list; then why it could not be read, or null. */
  failure: unknown;
  isRead = false;
  readonly #byId = new Map<string, ListedOperation>();
  /** Heard while a list is on its way: newer than what it says. */
  readonly #heard = new Map<string, ListedOperation>();
  #batch: ReturnType<typeof setTimeout> | undefined;
  #reading = 0;

  /** Reads a list anew. @param list of the gateway, and how it is asked */
  async read(list: () => Promise<readonly ListedOperation[]>): Promise<void> {
    const reading = ++this.#reading;
    this.#heard.clear();
    try {
      const rows = await list();
      if (reading !== this.#reading) return;
      this.#byId.clear();
      for (const row of rows) this.#byId.set(keyOf(row), row);
      for (const [key, row] of this.#heard) this.#byId.set(key, row);
      this.failure = undefined;
    } catch (error) {
      if (reading !== this.#reading) return;
      this.failure = error;
    }
    this.#heard.clear();
    this.isRead = true;
    this.#show();
  }

  /** An operation as it is now. */
  hear(operation: ListedOperation): void {
    const key = keyOf(operation);
    this.#byId.set(key, operation);
    this.#heard.set(key, operation);
    this.#batch ??= setTimeout(() => this.#show(), batchMs);
  }

  close(): void {
    this.#reading++;
    clearTimeout(this.#batch);
    this.#batch = undefined;
  }

  #show(): void {
    clearTimeout(this.#batch);
    this.#batch = undefined;
    const rows = [...this.#byId.values()].sort(newestFirst);
    for (const row of rows.splice(mostOperations)) this.#byId.delete(keyOf(row));
    this.rows = rows;
    this.changed.tell();
  }
}

/** Ids are unique in a run of the gateway; in a fleet the VM tells them apart. */
export function keyOf({ vm, id }: Pick<ListedOperation, 'vm' | 'id'>): string {
  return `${vm}/${id}`;
}

function newestFirst(one: ListedOperation, other: ListedOperation): number {
  if (one.started === other.started) return one.id < other.id ? 1 : -1;
  return one.started < other.started ? 1 : -1;
}
