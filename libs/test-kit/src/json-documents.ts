/** Splits a byte stream into JSON objects the way QEMU does: by braces, whatever the line ends. */
export class JsonDocuments {
  #buffered: Buffer = Buffer.alloc(0);
  #at = 0;
  #start = -1;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** @returns the objects completed by these bytes. Bytes between objects are skipped. */
  feed(chunk: Buffer): Buffer[] {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    const documents: Buffer[] = [];
    for (; this.#at < this.#buffered.length; this.#at++) {
      if (!this.#closes(this.#buffered[this.#at] as number)) continue;
      documents.push(Buffer.from(this.#buffered.subarray(this.#start, this.#at + 1)));
      this.#start = -1;
    }
    const keep = this.#start < 0 ? this.#at : this.#start;
    this.#buffered = this.#buffered.subarray(keep);
    this.#at -= keep;
    if (this.#start >= 0) this.#start = 0;
    return documents;
  }

  #closes(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === 0x5c) this.#escaped = true;
      else if (byte === 0x22) this.#inString = false;
      return false;
    }
    if (byte === 0x22) this.#inString = this.#depth > 0;
    else if (byte === 0x7b && this.#depth++ === 0) this.#start = this.#at;
    else if (byte === 0x7d && this.#depth > 0) return --this.#depth === 0;
    return false;
  }
}
