import { deepEqual, equal } from 'node:assert/strict';
import { crc32, inflateSync } from 'node:zlib';
import type { Pixels } from './ppm.js';

/** Reads what the gateway writes: one IDAT, rows without filter. @throws Error for anything else */
export function readPng(png: Buffer): Pixels {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const named = png.subarray(at + 4, at + 8 + length);
    equal(png.readUInt32BE(at + 8 + length), crc32(named));
    chunks.set(named.toString('latin1', 0, 4), named.subarray(4));
    at += 12 + length;
  }
  deepEqual([...chunks.keys()], ['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR') ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  deepEqual([...header.subarray(8)], [8, 2, 0, 0, 0]);
  const rows = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
  const stride = width * 3 + 1;
  const pixels = Array.from({ length: height }, (_, row) => {
    equal(rows[row * stride], 0);
    return rows.subarray(row * stride + 1, (row + 1) * stride);
  });
  return { width, height, rgb: Buffer.concat(pixels) };
}
