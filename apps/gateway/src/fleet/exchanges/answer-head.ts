/** The head of an answer is not longer than that. */
const mostHeadBytes = 64 * 1024;
const endOfHead = Buffer.from('\r\n\r\n', 'latin1');
const chunked = /^transfer-encoding: *chunked$/i;
/** What concerns the connection between nodes. */
const ownHeaders: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'date', 'transfer-encoding']);

/** The head of an owner's answer. */
export interface AnswerHead {
  readonly status: number;
  /** Its headers, each with its end of line, without those of the connection it came by. */
  readonly lines: string;
  /** Its body comes in chunks, as it has trailers. */
  readonly isChunked: boolean;
  /** As sent, whole: what a client that changes the protocol is told. */
  readonly raw: Buffer;
}

/** Waits for the head of an answer among its first bytes. */
export class AnswerHeadReader {
  #bytes: Buffer | undefined;

  /**
   * @returns the head and the bytes behind it; undefined while it is not whole
   * @throws Error for what is no answer
   */
  read(bytes: Uint8Array): { readonly head: AnswerHead; readonly rest: Buffer } | undefined {
    const more = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const all = this.#bytes === undefined ? more : Buffer.concat([this.#bytes, more]);
    const end = all.indexOf(endOfHead);
    if (end < 0) {
      if (all.length > mostHeadBytes) throw new Error('the head of an answer has no end');
      this.#bytes = all;
      return undefined;
    }
    this.#bytes = undefined;
    const raw = all.subarray(0, end + endOfHead.length);
    return { head: headOf(raw), rest: all.subarray(end + endOfHead.length) };
  }
}

function headOf(raw: Buffer): AnswerHead {
  const [statusLine = '', ...headers] = raw.subarray(0, -endOfHead.length).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new Error('this is no answer');
  let lines = '';
  for (const line of headers) {
    const colon = line.indexOf(':');
    if (!ownHeaders.has(line.slice(0, colon).toLowerCase())) lines += `${line}\r\n`;
  }
  return { status, lines, raw, isChunked: headers.some((line) => chunked.test(line)) };
}
