import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedBody } from './chunked-body.js';

const text = '5\r\nhello\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nContent-Digest: sha-256=:x:\r\n\r\n';

describe('a body in chunks', () => {
  it('is read whichever way it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const body = new ChunkedBody();
        let read = '';
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), text.length]) {
          read += body.read(Buffer.from(text.slice(from, to))).toString();
          from = to;
        }
        expect(read).toBe('hello0123456789abcdef');
        expect([body.isWhole, body.trailers]).toEqual([true, [['Content-Digest', 'sha-256=:x:']]]);
      }),
    );
  });

  it('is not whole before its last line', () => {
    const body = new ChunkedBody();
    body.read(Buffer.from(text.slice(0, -1)));
    expect(body.isWhole).toBe(false);
  });

  it.each(['x\r\n', '-1\r\n', '1\r\nab\r\n', '0\r\nno trailer\r\n', '123456789\r\n', '1'.repeat(20_000)])(
    'is not %j',
    (wrong) => {
      expect(() => new ChunkedBody().read(Buffer.from(wrong))).toThrow();
    },
  );
});
