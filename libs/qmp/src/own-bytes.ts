/** What bytes that are kept may hold of memory that is not theirs. */
const slackBytes = 512;
/** Shorter copies are cheaper from Node's pool, for what is not kept. */
const pooledBytes = 4096;

/**
 * Bytes to be kept: themselves where their memory is (nearly) theirs alone, else a copy. A slice keeps the whole chunk it
 * arrived in, and so does a copy made by `Buffer.from` or `Buffer.concat`: they cut it out of a pool, which from Node 24
 * on is 64 KiB.
 */
export function ownBytes(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength > bytes.length + slackBytes ? ownCopy(bytes) : bytes;
}

/** A copy of a part of something that is used for other things; only a short one shares its memory with others. */
export function copyOut(part: Buffer): Buffer {
  return part.length < pooledBytes ? Buffer.from(part) : ownCopy(part);
}

function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
