import fc from 'fast-check';
import { crc32, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isPng, writePng } from './png.js';
import { readPpm, type Pixels } from './ppm.js';

/** Reads what we write: one IDAT, rows without filter. */
function readPng(png: Buffer): Pixels {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const named = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(named));
    chunks.set(named.toString('latin1', 0, 4), named.subarray(4));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR') ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect([...header.subarray(8)]).toEqual([8, 2, 0, 0, 0]);
  const rows = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
  const stride = width * 3 + 1;
  const pixels = Array.from({ length: height }, (_, row) => {
    expect(rows[row * stride]).toBe(0);
    return rows.subarray(row * stride + 1, (row + 1) * stride);
  });
  return { width, height, rgb: Buffer.concat(pixels) };
}

const ppm = (head: string, pixels: number) => Buffer.concat([Buffer.from(head), Buffer.alloc(pixels * 3, 7)]);

it('a picture comes through PPM and PNG pixel for pixel', async () => {
  const sizes = fc.record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) });
  const picture = sizes.chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((rgb) => ({ width, height, rgb: Buffer.from(rgb) })),
  );
  await fc.assert(
    fc.asyncProperty(picture, async ({ width, height, rgb }) => {
      const read = readPpm(Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]));
      expect(read).toEqual({ width, height, rgb });
      const png = await writePng({ width, height, rgb });
      expect(isPng(png)).toBe(true);
      expect(readPng(png)).toEqual({ width, height, rgb });
    }),
    { numRuns: 50 },
  );
});

describe('no PPM', () => {
  it.each([
    ['is empty', Buffer.alloc(0)],
    ['is cut short', ppm('P6\n2 2\n255\n', 3)],
    ['has no pixels', ppm('P6\n0 2\n255\n', 4)],
    ['has 16 bits a channel', ppm('P6\n1 1\n65535\n', 2)],
    ['is text', ppm('P3\n1 1\n255\n', 1)],
  ])('%s', (_, bytes) => expect(readPpm(bytes)).toBeUndefined());
});
