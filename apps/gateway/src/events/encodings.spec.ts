import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { notificationEncoding, textFrame, textFrameHeader } from './encodings.js';
import { negotiate } from './media-type.js';

/** Payloads of the text frames in these bytes (RFC 6455, section 5.2); throws for anything else. */
function received(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes[at]).toBe(0x81);
    const short = bytes[at + 1]!;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    expect(header).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    expect(at + header + length).toBeLessThanOrEqual(bytes.length);
    texts.push(bytes.toString('utf8', at + header, at + header + length));
    at += header + length;
  }
  return texts;
}

describe('WebSocket text frames', () => {
  it.each([0, 125, 126, 65_535, 65_536, 200_000])('hold %i bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(received(textFrame(text))).toEqual([text]);
    expect(received(Buffer.concat([textFrameHeader(length), Buffer.from(text)]))).toEqual([text]);
  });

  it('count bytes, not characters', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 })), (texts) => {
        expect(received(Buffer.concat(texts.map(textFrame)))).toEqual(texts);
      }),
    );
  });

  it('carry notifications with the number of the subscription', () => {
    const [text] = received(notificationEncoding(3).frame('{"cursor":"r.1","event":"STOP"}', 'r.1'));
    expect(text).toBe('{"jsonrpc":"2.0","method":"event","params":{"subscription":3,"cursor":"r.1","event":"STOP"}}');
    expect(notificationEncoding(3)).toBe(notificationEncoding(3));
  });
});

describe('Accept', () => {
  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['application/json;q=0.1, text/event-stream', 'text/event-stream'],
    ['text/*', 'text/event-stream'],
    ['text/html', 'application/json'],
    ['text/event-stream;q=0, */*', 'application/json'],
    ['Text/Event-Stream; charset=utf-8', 'text/event-stream'],
  ])('%s asks for %s', (accept, type) => {
    expect(negotiate(accept).type).toBe(type);
  });

  it('asks for wide integers as strings', () => {
    expect(negotiate('text/html, application/json; int64=string').int64).toBe('string');
    expect(negotiate('application/json').int64).toBe('number');
  });
});
