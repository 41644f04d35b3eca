import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';

const deflate = promisify(deflateRaw);
/** Of a member of gzip: deflate, no name, no time, from no system in particular (RFC 1952 section 2.3). */
const memberHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * gzip of texts that differ in how they begin: what they have in common is compressed once, on first demand. A deflate
 * stream is a row of blocks, so those of a beginning may stand before those of the rest; its checksum is of both.
 */
export class GzipTail {
  #compressed: Promise<Buffer> | undefined;

  /** @param tail how they all end, not empty */
  constructor(private readonly tail: string) {}

  /** The text of `head` and the tail, as one member of gzip. */
  async after(head: string): Promise<Buffer> {
    const end = await (this.#compressed ??= deflate(this.tail));
    // The flush ends its last block on a byte, and says that others follow.
    const start = deflateRawSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    const sums = Buffer.alloc(8);
    sums.writeUInt32LE(crc32(this.tail, crc32(head)), 0);
    sums.writeUInt32LE((Buffer.byteLength(head) + Buffer.byteLength(this.tail)) % 2 ** 32, 4);
    return Buffer.concat([memberHeader, start, end, sums]);
  }
}
