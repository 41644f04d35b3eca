import { closeSync, openSync, writeFileSync } from 'node:fs';
import { isCompletionKind } from '@qmp-gateway/catalog';
import { asObject, parsedJson, systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { StateDirectory } from '../state/state-directory.js';
import type { WorkStore } from './work-store.js';
import type { WorkRecord } from './work.js';

const fileName = 'operations.log';
/** Bytes beyond twice those of the kept work after which the file is written anew. */
const slackBytes = 256 * 1024;
/** Milliseconds from one attempt to write a file that can't be written to the next. */
const retryMs = 10_000;

/**
 * Work on disk: a line for each change, the newest of an id counts. What was appended is the kernel's before the turn of
 * the event loop ends, so that it survives the death of the process. The file is written anew when it is far larger
 * than it was then, so its size is bounded by what is kept; and after a failure, which may have left half a line at its
 * end and kept others out of it.
 */
export class WorkLog {
  /** Null: forgotten. */
  readonly #changed = new Map<string, WorkRecord | null>();
  #file: number | undefined;
  #bytes = 0;
  /** Of the file when it was written anew. */
  #compacted = 0;
  #planned = false;
  /** The next attempt, while the file can't be written. */
  #retry: Timer | undefined;

  /**
   * @param store what is kept now, to write the file anew from
   * @param trouble told once each time the file stops (with the failure) or starts being writable
   */
  constructor(
    private readonly state: StateDirectory,
    private readonly store: Pick<WorkStore, 'all'>,
    private readonly trouble: (failure: string | undefined) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The records of an earlier run, in the order they were first written. A line cut off by a crash is left out. */
  read(): WorkRecord[] {
    const records = new Map<string, WorkRecord>();
    for (const line of (this.state.read(fileName) ?? '').split('\n')) {
      const record = asObject(parsedJson(line));
      if (isRecord(record)) records.set(record.id, record);
      else if (typeof record?.['id'] === 'string') records.delete(record['id']);
    }
    return [...records.values()];
  }

  /** Will be on its way to the disk at the end of this turn. */
  changed(record: WorkRecord): void {
    this.#append(record.id, record);
  }

  forgotten(id: string): void {
    this.#append(id, null);
  }

  #append(id: string, record: WorkRecord | null): void {
    // The next attempt writes all that is kept.
    if (this.#retry !== undefined) return;
    this.#changed.set(id, record);
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#planned = false;
    if (this.#changed.size === 0) return;
    const lines = [...this.#changed].map(([id, record]) => `${JSON.stringify(record ?? { id })}\n`);
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
      const text = Array.from(this.store.all(), ({ record }) => `${JSON.stringify(record)}\n`).join('');
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
      if (failed !== undefined) this.trouble(undefined);
    } catch (error) {
      this.#retry = this.clock.schedule(retryMs, () => this.compact());
      if (failed === undefined) this.trouble((error as Error).message);
    }
  }
}

function isRecord(value: object | undefined): value is WorkRecord {
  const record = value as Partial<WorkRecord> | undefined;
  return (
    typeof record?.id === 'string' &&
    typeof record.vm === 'string' &&
    typeof record.state === 'string' &&
    typeof record.started === 'number' &&
    Array.isArray(record.events) &&
    isCompletionKind(record.completion)
  );
}
