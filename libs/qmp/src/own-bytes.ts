/** How much foreign memory kept bytes may hold. */
const slackBytes = 512;
/** Shorter copies are cheaper from Node.js's pool, if they are not kept. */
const pooledBytes = 4096;

/**
 * Returns the bytes themselves if their memory is (nearly) theirs alone, otherwise a copy, for bytes that are kept. A
 * slice keeps the whole chunk it arrived in alive, and so does a copy made by `Buffer.from` or `Buffer.concat`: Node.js
 * takes it from a pool, which has 64 KiB from Node.js 24 on.
 */
export function ownBytes(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength > bytes.length + slackBytes ? ownCopy(bytes) : bytes;
}

/** A copy of a part of a reused buffer; only a short one shares its memory with others. */
export function copyOut(part: Buffer): Buffer {
  return part.length < pooledBytes ? Buffer.from(part) : ownCopy(part);
}

function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
