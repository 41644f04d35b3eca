import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerHeadReader } from './answer-head.js';

const own = ['Connection: close', 'KEEP-ALIVE: timeout=65', 'date: now', 'Transfer-Encoding: chunked'];
const kept = ['Content-Type: text/plain', 'Cache-Control: no-store', 'Dated: 1', 'X: connection: close', 'TE: x', 'K:'];

describe('the head of an answer', () => {
  it('keeps what is not of its connection, in order, however it is cut', () => {
    const headers = fc.array(fc.constantFrom(...own, ...kept), { maxLength: 12 });
    fc.assert(
      fc.property(headers, fc.nat({ max: 400 }), (lines, cut) => {
        const bytes = Buffer.from(`HTTP/1.1 201 Created\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\nbody`);
        const reader = new AnswerHeadReader();
        const found = reader.read(bytes.subarray(0, cut)) ?? reader.read(bytes.subarray(cut));
        const wanted = lines.filter((line) => kept.includes(line)).map((line) => `${line}\r\n`);
        expect(found?.head).toMatchObject({
          status: 201,
          lines: wanted.join(''),
          isChunked: lines.includes('Transfer-Encoding: chunked'),
        });
        if (cut >= bytes.length) expect(found?.rest.toString()).toBe('body');
      }),
    );
  });

  it.each(['HTTP/1.0 200 OK\r\n\r\n', 'HTTP/1.1 20 OK\r\n\r\n', '\r\n\r\n', 'nothing\r\nX: y\r\n\r\n'])(
    'is none: %j',
    (text) => {
      expect(() => new AnswerHeadReader().read(Buffer.from(text))).toThrow('this is no answer');
    },
  );
});
