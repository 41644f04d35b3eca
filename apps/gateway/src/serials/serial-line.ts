import type { FoundSerial } from './found-serials.js';
import { OutputRing } from './output-ring.js';
import type { SerialLink, SerialLinkOwner } from './serial-link.js';

/** Output that is kept of a line. */
export const keptBytes = 256 * 1024;
/**
 * Bytes typed that wait for the guest, beyond what one client can send before it is no longer read. Without this bound
 * others who take over, each with its first frame, would make it any number.
 */
const mostWaiting = 2 * 1024 * 1024;

/** Somebody who looks at a line, and may type there. Everything is called synchronously. */
export interface SerialReader {
  /** Of its principal, for others to see. */
  readonly name: string;
  /** @param at position of its first byte */
  output(chunk: Buffer, at: number): void;
  /** Output was lost, nobody knows how much. */
  lost(): void;
  typistChanged(): void;
  /** The line takes more of what is typed. */
  drained(): void;
  /** The line is gone. */
  ended(): void;
}

/**
 * What became of what was typed. `full`: it was taken, and no more will be until the line has `drained`. `dropped`: too
 * much waits already.
 */
export type Typed = 'taken' | 'full' | 'dropped' | 'not typist';

/** A serial line of a VM: what it said, who looks, who types, and the gateway's end of it while there is one. */
export class SerialLine implements SerialLinkOwner {
  readonly output = new OutputRing(keptBytes);
  readonly #readers = new Set<SerialReader>();
  #typist: SerialReader | null = null;
  #link: SerialLink | undefined;
  #attachments = 0;
  /** Where output was lost last. */
  #lossAt = 0;

  /**
   * @param run names this output: positions of others mean nothing here
   * @param detached called when the line ended by itself
   */
  constructor(
    public found: FoundSerial,
    readonly run: string,
    private readonly detached: (line: SerialLine) => void,
  ) {}

  get id(): string {
    return this.found.id;
  }

  get isAttached(): boolean {
    return this.#link !== undefined;
  }

  get readers(): number {
    return this.#readers.size;
  }

  get typist(): SerialReader | null {
    return this.#typist;
  }

  /** Position from which on nothing is missing that the line said. */
  get lossAt(): number {
    return this.#lossAt;
  }

  /** @param open may throw, and nothing has changed then */
  attach(open: (owner: SerialLinkOwner) => SerialLink): void {
    this.#link = open(this);
    if (this.#attachments++ === 0) return;
    this.#lossAt = this.output.end;
    for (const reader of this.#readers) reader.lost();
  }

  detach(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  /** All who look are told to come back. */
  end(): void {
    this.detach();
    for (const reader of [...this.#readers]) reader.ended();
  }

  join(reader: SerialReader): void {
    this.#readers.add(reader);
  }

  leave(reader: SerialReader): void {
    if (this.#readers.delete(reader) && this.#typist === reader) this.#setTypist(null);
  }

  /** From now on this reader types. */
  take(reader: SerialReader): void {
    if (this.#typist !== reader) this.#setTypist(reader);
  }

  /** The first who types is the typist, until it leaves or another takes over. */
  type(reader: SerialReader, bytes: Buffer): Typed {
    if (this.#typist === null) this.#setTypist(reader);
    if (this.#typist !== reader) return 'not typist';
    if ((this.#link?.waiting ?? 0) > mostWaiting) return 'dropped';
    return this.#link?.write(bytes) === false ? 'full' : 'taken';
  }

  received(chunk: Buffer): void {
    const at = this.output.end;
    this.output.push(chunk);
    for (const reader of this.#readers) reader.output(chunk, at);
  }

  drained(): void {
    for (const reader of this.#readers) reader.drained();
  }

  ended(): void {
    this.#link = undefined;
    this.detached(this);
    for (const reader of [...this.#readers]) reader.ended();
  }

  #setTypist(typist: SerialReader | null): void {
    this.#typist = typist;
    for (const reader of this.#readers) reader.typistChanged();
  }
}
