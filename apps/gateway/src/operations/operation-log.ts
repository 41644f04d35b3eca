import { closeSync, openSync, writeFileSync } from 'node:fs';
import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { StateDirectory } from '../state/state-directory.js';
import type { OperationEvents } from './operation-events.js';
import type { OperationStore } from './operation-store.js';
import { readRecord, recordOf, type OperationRecord } from './operation-record.js';
import type { WorkingOperation } from './operation.js';

const fileName = 'operations.log';
/** Bytes beyond twice those of what is kept after which the file is written anew. */
const slackBytes = 256 * 1024;
/** Milliseconds from one attempt to write a file that can't be written to the next. */
const retryMs = 10_000;

/**
 * Operations with work on disk: a line for each change, the newest of an id counts. What was appended is the kernel's before the turn of
 * the event loop ends, so that it survives the death of the process. The file is written anew when it is far larger
 * than it was then, so its size is bounded by what is kept; and after a failure, which may have left half a line at its
 * end and kept others out of it.
 */
export class OperationLog {
  /** Null: forgotten. */
  readonly #changed = new Map<string, WorkingOperation | null>();
  #file: number | undefined;
  #bytes = 0;
  /** Of the file when it was written anew. */
  #compacted = 0;
  #planned = false;
  /** The next attempt, while the file can't be written. */
  #retry: Timer | undefined;

  /**
   * @param store what is kept now, to write the file anew from
   * @param trouble hears when the file stops or starts being writable
   */
  constructor(
    private readonly state: StateDirectory,
    private readonly store: Pick<OperationStore, 'withWork'>,
    private readonly trouble: Pick<OperationEvents, 'logTrouble'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The records of an earlier run, in the order they were first written. A line cut off by a crash is left out. */
  read(): OperationRecord[] {
    const records = new Map<string, OperationRecord>();
    for (const line of (this.state.read(fileName) ?? '').split('\n')) {
      const record = readRecord(line);
      if (record === undefined) continue;
      if ('completion' in record) records.set(record.id, record);
      else records.delete(record.id);
    }
    return [...records.values()];
  }

  /** Will be on its way to the disk at the end of this turn. */
  changed(operation: WorkingOperation): void {
    this.#append(operation.id, operation);
  }

  forgotten(id: string): void {
    this.#append(id, null);
  }

  #append(id: string, operation: WorkingOperation | null): void {
    // The next attempt writes all that is kept.
    if (this.#retry !== undefined) return;
    this.#changed.set(id, operation);
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#planned = false;
    if (this.#changed.size === 0) return;
    const lines = [...this.#changed].map(([id, operation]) => lineOf(operation ?? { id }));
    this.#changed.clear();
    this.#attempt(() => {
      this.#file ??= openSync(this.state.file(fileName), 'a', 0o600);
      const text = lines.join('');
      writeFileSync(this.#file, text);
      this.#bytes += Buffer.byteLength(text);
    });
    if (this.#retry === undefined && this.#bytes > 2 * this.#compacted + slackBytes) this.compact();
  }

  /** Writes the file anew from what is kept. */
  compact(): void {
    this.#changed.clear();
    this.#attempt(() => {
      this.#closeFile();
      const text = Array.from(this.store.withWork(), lineOf).join('');
      this.state.write(fileName, text);
      this.#bytes = this.#compacted = Buffer.byteLength(text);
    });
  }

  close(): void {
    if (this.#retry === undefined) this.flush();
    else this.compact();
    this.#retry?.cancel();
    this.#closeFile();
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  /** Work goes on when it can't be written down; it only will not survive the process. */
  #attempt(step: () => void): void {
    const failed = this.#retry;
    failed?.cancel();
    this.#retry = undefined;
    try {
      step();
      if (failed !== undefined) this.trouble.logTrouble(undefined);
    } catch (error) {
      this.#retry = this.clock.schedule(retryMs, () => this.compact());
      if (failed === undefined) this.trouble.logTrouble((error as Error).message);
    }
  }
}

function lineOf(operation: WorkingOperation | { readonly id: string }): string {
  return `${JSON.stringify('work' in operation ? recordOf(operation, operation.work) : operation)}\n`;
}
