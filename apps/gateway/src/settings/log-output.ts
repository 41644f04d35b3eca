import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';

/** Bytes of lines that may wait for a reader; beyond it lines are lost. */
const mostWaitingBytes = 2 ** 20;
/** How long the log stays unused after a failure. */
const restMs = 1000;
/** A pipe is full: how soon it is tried again. */
const fullMs = 50;
/** How long the end of the process waits for a reader that takes nothing. */
const partingMs = 200;

interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * Where lines of the log go. Whoever reads them may stop reading or be gone (a log pipe that dies, a closed terminal, a
 * full disk): that ends nothing here and holds nothing up. Lines that cannot be written are counted, and the first line
 * that can be written afterwards says how many were lost.
 */
export class LogOutput {
  /** Lines that could not be written, since the start. */
  lost = 0;
  #file: number | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** What the system is writing now, or is to write again soon. */
  #batch: Batch | undefined;
  #isTrying = false;
  #unreported = 0;
  #restUntil = -Infinity;

  /** @param target a descriptor; standard error */
  constructor(private readonly target = 2) {}

  /** @param line with its end */
  write(line: string): void {
    if (this.#waitingBytes + line.length > mostWaitingBytes || performance.now() < this.#restUntil) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#batch === undefined) this.#writeWaiting();
  }

  /** Writes what waits, as far as it is taken soon: for the end of the process, and for the line before it. */
  flushSync(): void {
    // A line on its way to the system stays in its order, and is not written twice.
    if (this.#isTrying) return;
    const { bytes } = this.#batch ?? this.#nextBatch();
    this.#batch = undefined;
    const deadline = performance.now() + partingMs;
    for (let done = 0; done < bytes.length && performance.now() < deadline;)
      try {
        done += writeSync(this.#descriptor(), bytes, done);
      } catch (error) {
        if (!isFull(error)) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
  }

  #writeWaiting(): void {
    if (this.#waiting.length > 0) this.#write((this.#batch = this.#nextBatch()));
  }

  #nextBatch(): Batch {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const report = this.#unreported === 0 ? '' : lostLine(this.#unreported);
    this.#unreported = 0;
    return { bytes: Buffer.from(report + lines.join('')), lines: lines.length };
  }

  #write({ bytes, lines }: Batch): void {
    this.#isTrying = true;
    write(this.#descriptor(), bytes, (error, written) => {
      this.#isTrying = false;
      if (error !== null && !isFull(error)) {
        this.#fail(lines);
        return;
      }
      if (written === bytes.length) {
        this.#batch = undefined;
        this.#writeWaiting();
        return;
      }
      this.#batch = { bytes: bytes.subarray(error === null ? written : 0), lines };
      setTimeout(() => this.#tryAgain(), error === null ? 0 : fullMs).unref();
    });
  }

  #tryAgain(): void {
    if (this.#batch !== undefined && !this.#isTrying) this.#write(this.#batch);
  }

  #fail(lines: number): void {
    this.#batch = undefined;
    this.#lose(lines + this.#waiting.length);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#restUntil = performance.now() + restMs;
  }

  #lose(lines: number): void {
    this.lost += lines;
    this.#unreported += lines;
  }

  #descriptor(): number {
    return (this.#file ??= withoutWaiting(this.target));
  }
}

/**
 * A pipe once more, for writes that never wait: one that waits for a reader that is stopped would keep the process from
 * ending. The mode of the pipe we were given is shared with other processes and stays as it is.
 */
function withoutWaiting(target: number): number {
  try {
    if (!fstatSync(target).isFIFO()) return target;
    return openSync(`/proc/self/fd/${target}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return target;
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY';
}

function lostLine(lines: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 40, time, lines, msg: 'lines of the log were lost' })}\n`;
}

/** The log of this process. */
export const standardError = new LogOutput();
