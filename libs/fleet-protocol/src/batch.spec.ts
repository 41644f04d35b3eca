import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchId, encodeBatch, heartbeatId, mostBatchLines, readBatch, type Batch } from './batch.js';
import { endOf, incarnationOf, placeOf, placesOfMessage, sequenceOf } from './fleet-cursor.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const head = { v: 1, node: 'host-1', run: 'r1', first: 1, last: 0, at: 5 };
const read = (members: object, text = '') => readBatch(JSON.stringify({ ...head, ...members }), bytes(text));

describe('a batch', () => {
  it('comes back as it was sent, with members that nobody knows yet', () => {
    const line = fc.json().map((text) => text.replaceAll('\n', ' '));
    const batches = fc
      .record({
        node: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/),
        run: fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
        first: fc.integer({ min: 1, max: 2 ** 50 }),
        at: fc.double({ min: 0, max: 1e15, noNaN: true }),
        fields: fc.dictionary(fc.stringMatching(/^[a-z]{3,8}$/), fc.string({ unit: 'grapheme' })),
        lines: fc.array(line, { maxLength: 20 }),
      })
      .map((parts): Batch => ({ ...parts, last: parts.first + parts.lines.length - 1 }));
    fc.assert(
      fc.property(batches, (batch) => {
        const { header, payload } = encodeBatch(batch);
        expect(/^[\x20-\x7e]*$/.test(header)).toBe(true);
        const back = readBatch(header, payload);
        if (typeof back === 'string') throw new Error(back);
        const { fields, ...rest } = back;
        const { fields: sent, ...sentRest } = batch;
        expect(rest).toEqual({ ...sentRest, at: batch.at === 0 ? 0 : batch.at });
        expect({ ...fields }).toEqual({ ...sent });
      }),
    );
  });

  it.each([
    ['no-header', readBatch(undefined, bytes(''))],
    ['no-header', readBatch('', bytes(''))],
    ['header-too-long', readBatch(' '.repeat(64 * 1024 + 1), bytes(''))],
    ['header-not-json', readBatch('{', bytes(''))],
    ['header-not-json', readBatch('[]', bytes(''))],
    ['header-not-json', readBatch('null', bytes(''))],
    ['unknown-version', read({ v: 2 })],
    ['unknown-version', read({ v: '1' })],
    ['bad-node', read({ node: 'a b' })],
    ['bad-node', read({ node: undefined })],
    ['bad-run', read({ run: 'r.1' })],
    ['bad-numbers', read({ first: 0, last: 0 })],
    ['bad-numbers', read({ first: 5, last: 3 })],
    ['bad-numbers', read({ first: 1, last: 1 + mostBatchLines })],
    ['bad-numbers', read({ first: 1.5, last: 1.5 })],
    ['bad-clock', read({ at: -1 })],
    ['bad-clock', read({ at: null })],
    ['payload-too-long', readBatch(JSON.stringify(head), new Uint8Array(8 * 1024 * 1024 + 1))],
    ['payload-not-utf8', readBatch(JSON.stringify({ ...head, last: 1 }), Uint8Array.of(0xff))],
    ['line-count', read({ last: 2 }, '{}')],
    ['line-count', read({}, '{}')],
  ])('is refused by name: %s', (fault, result) => {
    expect(result).toBe(fault);
  });

  it('never throws, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.uint8Array(), (header, payload) => {
        readBatch(header, payload);
      }),
    );
  });

  it('is not sent when no reader would take it', () => {
    expect(() => encodeBatch({ ...head, last: 3, fields: {}, lines: ['{}'] })).toThrow('line-count');
  });

  it('has an id that no heartbeat has', () => {
    expect(batchId({ run: 'r', first: 7 })).toBe('r.7');
    expect(heartbeatId({ run: 'r', first: 7 }, 1)).toBe('r.7.1');
    expect(heartbeatId({ run: 'r', first: 7 }, 2)).not.toBe(heartbeatId({ run: 'r', first: 7 }, 1));
  });
});

describe('a place in the stream', () => {
  it('rises with the sequence and in it, and tells its message', () => {
    const place = fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 0, max: placesOfMessage - 1 }));
    fc.assert(
      fc.property(place, place, ([a, i], [b, j]) => {
        const earlier = a < b || (a === b && i < j);
        expect(placeOf(a, i) < placeOf(b, j)).toBe(earlier);
        expect(sequenceOf(placeOf(a, i))).toBe(a);
        expect(endOf(a) < placeOf(a + 1, 0)).toBe(true);
      }),
    );
  });

  it('is refused where it would be no exact number', () => {
    expect(() => placeOf(2 ** 41, 0)).toThrow(RangeError);
    expect(() => placeOf(1, placesOfMessage)).toThrow(RangeError);
    expect(() => placeOf(-1, 0)).toThrow(RangeError);
  });

  it('belongs to one making of one stream', () => {
    const made = '2026-01-01T00:00:00.123456789Z';
    expect(incarnationOf('prod', made)).toMatch(/^f[0-9a-z]{12}$/);
    expect(incarnationOf('prod', made)).toBe(incarnationOf('prod', made));
    expect(incarnationOf('prod', made)).not.toBe(incarnationOf('test', made));
    expect(incarnationOf('prod', made)).not.toBe(incarnationOf('prod', made.replace('123', '124')));
  });
});
