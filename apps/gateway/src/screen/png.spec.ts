import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPng, writePng } from './png.js';
import { readPng } from './png.scene.js';
import { readPpm } from './ppm.js';

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
