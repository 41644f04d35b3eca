import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import type { StateDirectory } from './state-directory.js';

/** A file of the log. It is removed when nothing in it is held any more, and nothing before it is. */
export interface Segment {
  readonly number: number;
  bytes: number;
  /** Records in it that somebody still needs. */
  held: number;
}

/** Past so many bytes the next record begins a file. What was held long is so in few files, and nothing is ever copied. */
const segmentBytes = 2 ** 20;

/**
 * Lines on disk that are needed for a while, the oldest given up first: appended to the newest of a row of small files,
 * which go as a whole. A line is the kernel's when `append` returns, so it survives the death of this process, at any
 * moment; it is not synced, so a power cut may take the last ones. A line is there whole or it does not count.
 */
export class SegmentedLog {
  /** Oldest first. */
  readonly #segments: Segment[] = [];
  #file: number | undefined;
  #bytes = 0;
  #last = 0;
  /** What was read is not removed before all was read. */
  #loading = false;

  /** @param name of its files: `<name>-<number>.log` */
  constructor(
    private readonly state: StateDirectory,
    private readonly name: string,
  ) {}

  /** Of all its files. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What earlier runs left, in the order it was written. `take` holds what is still needed; files without are removed.
   * @throws SettingsError for a file that can't be read
   */
  load(take: (line: string, segment: Segment) => void): void {
    const pattern = new RegExp(`^${this.name}-(\\d{1,15})\\.log$`);
    const numbers = this.state.names().flatMap((name) => pattern.exec(name)?.slice(1).map(Number) ?? []);
    this.#loading = true;
    for (const number of numbers.sort((a, b) => a - b)) {
      const text = this.state.read(this.#fileName(number)) ?? '';
      const segment = { number, bytes: Buffer.byteLength(text), held: 0 };
      this.#segments.push(segment);
      this.#bytes += segment.bytes;
      this.#last = number;
      // What follows the last line end is what a crash left of a line.
      for (const line of text.split('\n').slice(0, -1)) take(line, segment);
    }
    this.#loading = false;
    this.#removeUnheld();
  }

  /**
   * Writes a line down.
   * @returns where, to be held at once by whoever needs it
   * @throws Error when it can't be; then nothing of it is left
   */
  append(line: string): Segment {
    let segment = this.#segments.at(-1);
    if (segment === undefined || this.#file === undefined || segment.bytes >= segmentBytes) segment = this.#next();
    const file = this.#file;
    if (file === undefined) throw new Error('a segment without file');
    const text = Buffer.from(`${line}\n`);
    try {
      writeFileSync(file, text);
    } catch (error) {
      this.#undo(file, segment);
      throw error;
    }
    segment.bytes += text.length;
    this.#bytes += text.length;
    return segment;
  }

  /** One record less in this file is needed. */
  release(segment: Segment): void {
    segment.held--;
    this.#removeUnheld();
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  /** A file that another run may have left half a line in is never appended to. */
  #next(): Segment {
    // Taken in any case: what is in the way of one file may not be in the way of the next.
    const number = ++this.#last;
    // Appending, so that what is written after a half line was cut off follows what was before it.
    const file = openSync(this.state.file(this.#fileName(number)), 'ax', 0o600);
    this.close();
    this.#file = file;
    const segment = { number, bytes: 0, held: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #undo(file: number, { bytes }: Segment): void {
    try {
      ftruncateSync(file, bytes);
    } catch {
      // Half a line stays at its end, where it is left out; the next line goes to another file.
      this.close();
    }
  }

  #removeUnheld(): void {
    if (this.#loading) return;
    for (let [oldest] = this.#segments; oldest?.held === 0; [oldest] = this.#segments) {
      this.#segments.shift();
      this.#bytes -= oldest.bytes;
      // The newest, which is written to.
      if (this.#segments.length === 0) this.close();
      this.state.remove(this.#fileName(oldest.number));
    }
  }

  #fileName(number: number): string {
    return `${this.name}-${number}.log`;
  }
}
