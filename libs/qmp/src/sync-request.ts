import { randomInt } from 'node:crypto';

const sentinel = 0xff;

/**
 * One `guest-sync-delimited` (QEMU's qga/qapi-schema.json): the agent puts 0xFF, which no JSON contains, before its
 * answer, so that the answer is distinct from anything that the agent still sends to others.
 */
export class SyncRequest {
  readonly #id = randomInt(2 ** 47);

  /** The request as a line. */
  get text(): string {
    return `{"execute":"guest-sync-delimited","arguments":{"id":${this.#id}}}\n`;
  }

  /** The request after a 0xFF, which makes the agent drop an incomplete message. */
  get flushing(): Buffer {
    return Buffer.concat([Buffer.of(sentinel), Buffer.from(this.text)]);
  }

  /** Whether the line ends with the answer to this request. */
  answeredBy(line: Buffer, start: number, end: number): boolean {
    const mark = line.subarray(start, end).lastIndexOf(sentinel);
    if (mark < 0) return false;
    const match = /^\{\s*"return"\s*:\s*([0-9]+)\s*\}\s*$/.exec(line.toString('latin1', start + mark + 1, end));
    return match?.[1] === String(this.#id);
  }
}

/** Whether a line answers any such request. */
export function isSyncAnswer(line: Buffer, start: number): boolean {
  return line[start] === sentinel;
}
