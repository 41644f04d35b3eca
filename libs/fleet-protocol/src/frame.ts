const lengthBytes = 4;
/** A head is small: names, numbers, who asks. */
export const mostHeadBytes = 64 * 1024;
const decoder = new TextDecoder('utf-8', { fatal: true });
const nothing = new Uint8Array(0);

/** A message of requests and exchanges: what it says of itself, and bytes. */
export interface Frame {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

/** The length of the head (four bytes, most significant first), the head as JSON, the body. */
export function encodeFrame(head: object, body: Uint8Array = nothing): Uint8Array {
  const json = JSON.stringify(head);
  const length = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(lengthBytes + length + body.length);
  frame.writeUInt32BE(length);
  frame.write(json, lengthBytes);
  frame.set(body, lengthBytes + length);
  return frame;
}

/** @returns undefined for what is no frame; the body is a view of `bytes` */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < lengthBytes) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const end = lengthBytes + length;
  if (length > mostHeadBytes || end > bytes.length) return undefined;
  try {
    const head: unknown = JSON.parse(decoder.decode(bytes.subarray(lengthBytes, end)));
    if (typeof head !== 'object' || head === null || Array.isArray(head)) return undefined;
    return { head: head as Record<string, unknown>, body: bytes.subarray(end) };
  } catch {
    return undefined;
  }
}
