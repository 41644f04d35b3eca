import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.js';

function splitter(limit = 1000): { feed: (bytes: Buffer) => void; seen: string[]; splitter: LineSplitter } {
  const seen: string[] = [];
  const made = new LineSplitter(
    {
      line: (buffer, start, end) => seen.push(buffer.toString('utf8', start, end)),
      overlong: () => seen.push('OVERLONG'),
    },
    limit,
  );
  return { feed: (bytes) => made.feed(bytes), seen, splitter: made };
}

/** Feeds the bytes cut at these positions, from memory that is reused as a socket's may be. */
function feedCut(bytes: Buffer, cuts: readonly number[], feed: (bytes: Buffer) => void): void {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < edges.length; index++) {
    const chunk = Buffer.from(bytes.subarray(edges[index - 1], edges[index]));
    feed(chunk);
    chunk.fill(0x0a);
  }
}

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const lines = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replace(/[\r\n]/g, '')),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(lines, fc.array(fc.nat(), { maxLength: 40 }), fc.constantFrom('\n', '\r\n'), (texts, cuts, end) => {
        const { feed, seen } = splitter();
        feedCut(Buffer.from(texts.map((text) => text + end).join('')), cuts, feed);
        expect(seen).toEqual(texts.filter((text) => text !== ''));
      }),
    );
  });

  it('takes a line end in two pieces, and bytes one at a time', () => {
    const { feed, seen } = splitter();
    for (const byte of Buffer.from('{"a":"\u00fc\ud83d\ude00"}\r\nb\r\n\r\n')) feed(Buffer.of(byte));
    expect(seen).toEqual(['{"a":"\u00fc\ud83d\ude00"}', 'b']);
  });

  it('tells once of a line over the limit, discards the rest of it, and goes on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 11, max: 300 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.constantFrom('\n', '\r\n'),
        (length, cuts, end) => {
          const { feed, seen, splitter: made } = splitter(10);
          feedCut(Buffer.from(`a${end}${'x'.repeat(length)}${end}0123456789${end}`), cuts, feed);
          expect(seen).toEqual(['a', 'OVERLONG', '0123456789']);
          expect(made.pending).toBe(0);
        },
      ),
    );
  });

  it('stops in the middle of a chunk when told', () => {
    const seen: string[] = [];
    const made: LineSplitter = new LineSplitter(
      {
        line(buffer, start, end) {
          seen.push(buffer.toString('utf8', start, end));
          made.stop();
        },
        overlong: () => undefined,
      },
      100,
    );
    made.feed(Buffer.from('one\ntwo\n'));
    made.feed(Buffer.from('three\n'));
    expect(seen).toEqual(['one']);
  });

  it('copies each byte a bounded number of times', () => {
    let copied = 0;
    const size = 2 ** 20;
    const { feed, seen } = splitter(2 * size);
    const chunk = Buffer.alloc(1024, 0x61);
    const copy = Buffer.prototype.copy;
    Buffer.prototype.copy = function (this: Buffer, target: Uint8Array, ...rest: number[]) {
      const count: number = copy.call(this, target, ...rest);
      copied += count;
      return count;
    };
    try {
      for (let sent = 0; sent < size; sent += chunk.length) feed(chunk);
    } finally {
      Buffer.prototype.copy = copy;
    }
    feed(Buffer.from('\n'));
    expect(seen[0]).toHaveLength(size);
    expect(copied).toBeLessThan(3 * size);
  });
});
