const firstBytes = 4 * 1024;
/** How much larger each memory is than the one before: few copies for a line that talks, little for one that does not. */
const growth = 4;

/**
 * The newest bytes of an endless output, each at a position that counts from the first byte on. Memory is taken as it is
 * needed: a line that says nothing has none.
 */
export class OutputRing {
  #memory: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** @param most bytes that are kept */
  constructor(private readonly most: number) {}

  /** Position of the oldest byte that is kept. */
  get start(): number {
    return this.#start;
  }

  /** Position of the byte that comes next. */
  get end(): number {
    return this.#end;
  }

  push(chunk: Buffer): void {
    const kept = chunk.subarray(Math.max(0, chunk.length - this.most));
    this.#makeRoom(Math.min(this.most, this.#end - this.#start + kept.length));
    this.#end += chunk.length;
    this.#put(kept, this.#end - kept.length);
    this.#start = Math.max(this.#start, this.#end - this.#memory.length);
  }

  /** A copy of at most so many bytes from a position on that is kept. */
  read(from: number, most: number): Buffer {
    const length = Math.min(most, this.#end - from);
    const copy = Buffer.allocUnsafe(length);
    if (length === 0) return copy;
    const at = from % this.#memory.length;
    const first = this.#memory.copy(copy, 0, at, Math.min(at + length, this.#memory.length));
    this.#memory.copy(copy, first, 0, length - first);
    return copy;
  }

  #put(bytes: Buffer, position: number): void {
    if (bytes.length === 0) return;
    const at = position % this.#memory.length;
    const first = bytes.copy(this.#memory, at);
    bytes.copy(this.#memory, 0, first);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    let size = Math.max(firstBytes, this.#memory.length);
    while (size < bytes) size *= growth;
    const kept = this.read(this.#start, Infinity);
    // Zeroed memory is never a part of a larger one, which would be kept with it.
    this.#memory = Buffer.alloc(Math.min(size, this.most));
    this.#put(kept, this.#start);
  }
}
