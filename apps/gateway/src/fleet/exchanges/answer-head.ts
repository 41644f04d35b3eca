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
  const text = raw.toString('latin1', 0, raw.length - endOfHead.length);
  const statusEnd = lineEndAt(text, 0);
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(text.slice(0, statusEnd))?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new Error('this is no answer');
  let lines = '';
  let isChunked = false;
  // Lines that are kept stand together mostly, and are copied together.
  let from = statusEnd + 2;
  for (let at = from; at < text.length;) {
    const end = lineEndAt(text, at);
    const next = end + 2;
    if (isOwn(text, at)) {
      lines += text.slice(from, at);
      isChunked ||= chunked.test(text.slice(at, end));
      from = next;
    }
    at = next;
  }
  if (from < text.length) lines += `${text.slice(from)}\r\n`;
  return { status, lines, raw, isChunked };
}

function lineEndAt(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end < 0 ? text.length : end;
}

/** Whether the line there is one of {@link ownHeaders}. */
function isOwn(text: string, at: number): boolean {
  switch (text.charCodeAt(at) | 0x20) {
    case 0x63: // c
    case 0x64: // d
    case 0x6b: // k
    case 0x74: // t
      return ownHeaders.has(text.slice(at, text.indexOf(':', at)).toLowerCase());
    default:
      return false;
  }
}
