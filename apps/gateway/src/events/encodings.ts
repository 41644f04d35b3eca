/** How events look on one kind of stream. Encodings are compared by identity: one object for each form. */
export interface Encoding {
  readonly name: string;
  /** One event, gap or bookmark-as-event as bytes that may be written one after the other. */
  frame(json: string, cursor: string): Buffer;
  /** A position without an event; undefined where this kind of stream has none. */
  bookmark?(json: string, cursor: string): Buffer;
}

/** Server-sent events (WHATWG HTML 9.2): unnamed messages; an `id` without data only moves `Last-Event-ID`. */
export const sse: Encoding = {
  name: 'sse',
  frame: (json, cursor) => Buffer.from(`id: ${cursor}\ndata: ${json}\n\n`),
  bookmark: (_json, cursor) => Buffer.from(`id: ${cursor}\n\n`),
};

export const ndjson: Encoding = { name: 'ndjson', frame: (json) => Buffer.from(`${json}\n`) };

export const ndjsonWithBookmarks: Encoding = {
  ...ndjson,
  name: 'ndjson+bookmarks',
  bookmark: (json) => Buffer.from(`${json}\n`),
};

const notifications = new Map<number, Encoding>();
/** Most connections have one subscription or two; the rest share nothing and need no place here. */
const sharedNotifications = 64;

/** JSON-RPC notifications of one subscription, each a whole WebSocket text frame. */
export function notificationEncoding(subscription: number): Encoding {
  const known = notifications.get(subscription);
  if (known !== undefined) return known;
  const head = `{"jsonrpc":"2.0","method":"event","params":{"subscription":${subscription},`;
  const encoding: Encoding = {
    name: `notification ${subscription}`,
    frame: (json) => textFrame(`${head}${json.slice(1)}}`),
  };
  if (subscription <= sharedNotifications) notifications.set(subscription, encoding);
  return encoding;
}

/** An unmasked, final text frame (RFC 6455, section 5.2), as servers send them. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(frameHeaderLength(length) + length);
  frame.write(text, writeFrameHeader(frame, length));
  return frame;
}

/** A text frame with a value in its middle that is UTF-8 already. */
export function textFrameAround(head: string, value: Buffer, tail: string): Buffer {
  const length = Buffer.byteLength(head) + value.length + Buffer.byteLength(tail);
  const frame = Buffer.allocUnsafe(frameHeaderLength(length) + length);
  let at = writeFrameHeader(frame, length);
  at += frame.write(head, at);
  at += value.copy(frame, at);
  frame.write(tail, at);
  return frame;
}

/** The header alone of a text frame whose payload is written by itself. */
export function textFrameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderLength(length));
  writeFrameHeader(header, length);
  return header;
}

const finalText = 0x81;

function frameHeaderLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeFrameHeader(frame: Buffer, length: number): number {
  frame[0] = finalText;
  if (length < 126) {
    frame[1] = length;
    return 2;
  }
  if (length < 65_536) {
    frame[1] = 126;
    return frame.writeUInt16BE(length, 2);
  }
  frame[1] = 127;
  return frame.writeBigUInt64BE(BigInt(length), 2);
}
