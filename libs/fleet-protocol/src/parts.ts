import { createHash, type Hash } from 'node:crypto';
import type { LastPart, PartHead } from './exchange-heads.js';

/** Bytes of one part at most: small requests of the same connection have a turn between two. */
export const partBytes = 256 * 1024;
/** What is whole goes in one part up to here. */
export const onePartBytes = 512 * 1024;
/** Parts that the other side has not used yet. */
export const partWindow = 8;

/**
 * Makes numbered parts of the bytes of one direction, never more than the other side has room for. It keeps no bytes but
 * those it was given and could not send: whoever writes waits until those are gone.
 */
export class PartSender {
  #next = 0;
  #taken = 0;
  #bytes = 0;
  #hash: Hash | undefined;
  #waiting: Uint8Array[] = [];
  #ending = false;
  #ended = false;

  /**
   * @param send hands a part over
   * @param isHashed whether the last part says the hash of all
   * @param drained called when all that was written has been handed over, after it had to wait
   */
  constructor(
    private readonly send: (head: Extract<PartHead, { kind: 'bytes' }>, bytes: Uint8Array) => void,
    private readonly isHashed: boolean,
    private readonly drained: () => void,
  ) {}

  /** The last part has been handed over. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** @returns false when the bytes have to wait: `drained` tells when they are gone */
  write(bytes: Uint8Array): boolean {
    this.#waiting.push(bytes);
    this.#flush();
    return this.#waiting.length === 0;
  }

  /** The last bytes. */
  end(bytes?: Uint8Array): void {
    this.#ending = true;
    if (bytes !== undefined) this.#waiting.push(bytes);
    this.#flush();
  }

  /** The other side has used so many parts. */
  taken(count: number): void {
    if (count <= this.#taken || count > this.#next) return;
    this.#taken = count;
    const had = this.#waiting.length > 0;
    this.#flush();
    if (had && this.#waiting.length === 0) this.drained();
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#next - this.#taken < partWindow) {
      const all = this.#next === 0 && this.#ending && sizeOf(this.#waiting) <= onePartBytes;
      const piece = this.#take(all ? onePartBytes : partBytes);
      this.#sendPart(piece, this.#ending && this.#waiting.length === 0);
    }
    if (this.#ending && !this.#ended && this.#waiting.length === 0 && this.#next - this.#taken < partWindow)
      this.#sendPart(new Uint8Array(0), true);
  }

  #sendPart(bytes: Uint8Array, isLast: boolean): void {
    const index = this.#next++;
    this.#bytes += bytes.length;
    const isOnly = isLast && index === 0;
    if (this.isHashed && !isOnly) (this.#hash ??= createHash('sha256')).update(bytes);
    if (!isLast) {
      this.send({ kind: 'bytes', index }, bytes);
      return;
    }
    this.#ended = true;
    const sha256 = isOnly ? undefined : this.#hash?.digest('hex');
    const last: LastPart = { bytes: this.#bytes, ...(sha256 === undefined ? {} : { sha256 }) };
    this.send({ kind: 'bytes', index, last }, bytes);
  }

  /** Up to so many bytes of those that wait. */
  #take(most: number): Uint8Array {
    const first = this.#waiting[0] as Uint8Array;
    if (first.length > most) {
      this.#waiting[0] = first.subarray(most);
      return first.subarray(0, most);
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (let next; (next = this.#waiting[0]) !== undefined && size + next.length <= most; this.#waiting.shift()) {
      pieces.push(next);
      size += next.length;
    }
    return pieces.length === 1 ? first : Buffer.concat(pieces, size);
  }
}

/** What a part means to whoever gets it. */
export type TakenPart = 'more' | 'last' | 'wrong';

/** Checks the parts of one direction: each in its place, and all of them together whole. */
export class PartReceiver {
  #next = 0;
  #bytes = 0;
  #hash: Hash | undefined;
  #used = 0;
  #told = 0;

  /** @param isHashed whether the last part says the hash of all */
  constructor(private readonly isHashed: boolean) {}

  /** @returns `wrong` when a part is missing, comes twice, or all together are not what was sent */
  receive({ index, last }: Extract<PartHead, { kind: 'bytes' }>, bytes: Uint8Array): TakenPart {
    if (index !== this.#next || index - this.#told >= partWindow) return 'wrong';
    this.#next++;
    this.#bytes += bytes.length;
    const isOnly = last !== undefined && index === 0;
    if (this.isHashed && !isOnly) (this.#hash ??= createHash('sha256')).update(bytes);
    if (last === undefined) return 'more';
    if (last.bytes !== this.#bytes) return 'wrong';
    return !this.isHashed || isOnly || last.sha256 === this.#hash?.digest('hex') ? 'last' : 'wrong';
  }

  /** One more part has been used. @returns what to tell the other side, if it is time to */
  used(): number | undefined {
    this.#used++;
    if (this.#used - this.#told < partWindow / 2) return undefined;
    this.#told = this.#used;
    return this.#told;
  }
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, { length }) => size + length, 0);
}
