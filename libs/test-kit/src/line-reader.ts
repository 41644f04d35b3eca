import type { Readable } from 'node:stream';

/** Lines that wait unread before the stream is paused. */
const mostWaiting = 1024;
const newline = 10;

/**
 * The lines of a stream, ended by a newline with or without CR before it, and by nothing else: `node:readline` also ends
 * lines at U+2028 and U+2029 from Node.js 24 on, which JSON has in its strings as they are.
 */
export class LineReader {
  readonly #lines: string[] = [];
  #parts: Buffer[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(private readonly input: Readable) {
    input.on('data', (chunk: Buffer) => this.#take(chunk));
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    input.once('end', end);
    input.once('close', end);
  }

  /** @returns the next line, or null at the end. A last line without its newline is none. */
  async next(): Promise<string | null> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        if (this.#lines.length === 0 && this.input.isPaused()) this.input.resume();
        return line;
      }
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#parts.push(chunk.subarray(from, end));
      this.#lines.push(Buffer.concat(this.#parts).toString().replace(/\r$/, ''));
      this.#parts = [];
      from = end + 1;
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from));
    if (this.#lines.length > mostWaiting) this.input.pause();
    if (this.#lines.length > 0) this.#wake?.();
  }
}
