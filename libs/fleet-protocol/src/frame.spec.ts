import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, mostHeadBytes } from './frame.js';

describe('a frame', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.uint8Array({ maxLength: 2000 }), (head, body) => {
        const frame = decodeFrame(encodeFrame(head, body));
        expect(JSON.stringify(frame?.head)).toBe(JSON.stringify(head));
        expect(Buffer.from(frame?.body ?? []).equals(Buffer.from(body))).toBe(true);
      }),
    );
  });

  it('is none where bytes say nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const frame = decodeFrame(bytes);
        if (frame !== undefined) expect(typeof frame.head).toBe('object');
      }),
    );
    expect(decodeFrame(new Uint8Array(0))).toBeUndefined();
    expect(decodeFrame(encodeFrame({ a: 1 }).subarray(0, 6))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(0, 0, 0, 2, 0x7b, 0xff))).toBeUndefined();
    for (const text of ['[]', 'null', '1', '"x"'])
      expect(
        decodeFrame(Buffer.concat([Uint8Array.of(0, 0, 0, text.length), Buffer.from(text)])),
        text,
      ).toBeUndefined();
  });

  it('has a small head', () => {
    expect(decodeFrame(encodeFrame({ a: 'x'.repeat(mostHeadBytes) }))).toBeUndefined();
  });
});
