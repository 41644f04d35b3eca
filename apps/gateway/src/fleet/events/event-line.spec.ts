import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anySource, gatewaySource, eventRecord, snapshotOf, type EventParts } from '../../events/event-record.js';
import { eventLine, EventLineReader, gapLine } from './event-line.js';

const source = snapshotOf({ id: 'web-1', labels: { team: 'a' }, epoch: 'r.1' });
const stop: EventParts = {
  ...{ source, name: 'STOP', data: '{"big":18446744073709551615, "x":"ä\\u2028"}' },
  ...{ timestamp: '{"seconds": 1, "microseconds": -1}', receivedAt: 1_700_000_000_000.25 },
};
const there = (parts: EventParts) => new EventLineReader().read(eventLine(eventRecord(7, parts)));
const noVm = '"vm":null,"epoch":null,"labels":{}';
const withoutAbsent = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe('an event as a line', () => {
  it('keeps the bytes of QEMU, integers beyond those of JavaScript too', () => {
    expect(there(stop)).toMatchObject({ name: 'STOP', data: stop.data, timestamp: stop.timestamp });
  });

  it('is the same event at the other end, in all its parts', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const labels = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), text, { maxKeys: 3 });
    const json = fc.dictionary(text, fc.jsonValue()).map((value) => JSON.stringify(value));
    const parts = fc.record(
      {
        source: fc
          .record({ id: fc.stringMatching(/^[a-z]{1,9}$/), labels, epoch: fc.constantFrom(null, 'r.2') })
          .map(snapshotOf),
        name: fc.stringMatching(/^[A-Z_]{1,20}$/),
        data: json,
        timestamp: fc.constant('{"seconds":1,"microseconds":2}'),
        receivedAt: fc.integer({ min: 0, max: 2e12 }),
        reducedData: json,
        only: text,
        successor: labels.map((of) => snapshotOf({ id: 'web-1', labels: of, epoch: null })),
        leftOut: fc.constant(true as const),
        missed: fc.constantFrom(null, 3),
      },
      { requiredKeys: ['source', 'name', 'data', 'timestamp', 'receivedAt'] },
    );
    fc.assert(
      fc.property(parts, (sent) => {
        const line = eventLine(eventRecord(1, sent));
        JSON.parse(line);
        expect(withoutAbsent(new EventLineReader().read(line))).toEqual(withoutAbsent(sent));
      }),
    );
  });

  it('has the same source as the one before it of the same VM and session', () => {
    const reader = new EventLineReader();
    const line = eventLine(eventRecord(1, stop));
    const [first, second] = [reader.read(line), reader.read(line)] as EventParts[];
    expect(first!.source).toBe(second!.source);
  });

  it('is about the gateway, or about all VMs, where it names none', () => {
    expect(there({ ...stop, source: gatewaySource })).toMatchObject({ source: gatewaySource });
    const gap = there({ ...stop, source: anySource, missed: null }) as EventParts;
    expect(gap.source).toBe(anySource);
  });

  it('tells what the fleet never had, without what it was', () => {
    const line = gapLine(eventRecord(3, { ...stop, only: 'p', reducedData: '{}' }), 12);
    expect(new EventLineReader().read(line)).toMatchObject({ name: 'gap', missed: 12, data: '{}', only: undefined });
  });

  it.each([
    ['no-sizes', '{}'],
    ['no-sizes', ''],
    ['no-sizes', '{"sizes":[2,2,0],"vm":"a"}'],
    ['wrong-sizes', `{"sizes":[${noVm.length},2,0,3],${noVm},"event":"A","timestamp":{},"data":{}}`],
    ['wrong-sizes', `{"sizes":[${noVm.length},2,0,99999999],${noVm},"event":"A","timestamp":{},"data":{}}`],
    ['wrong-sizes', `{"sizes":[${noVm.length},2,4,2],${noVm},"event":"A","timestamp":{},"data":{}}`],
    ['wrong-sizes', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":"A","timestamp":{},"data":{} `],
    ['wrong-sizes', `{"sizes":[3,2,0,2],${noVm},"event":"A","timestamp":{},"data":{}}`],
    ['wrong-sizes', `{"sizes":[9999,2,0,2],${noVm},"event":"A","timestamp":{},"data":{}}`],
    ['not-json', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":A,"timestamp":{},"data":{}}`],
    ['not-json', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":"A","timestamp":{},"data":[x}`],
    ['not-json', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":"A","timestamp":xx,"data":{}}`],
    ['not-json', `{"sizes":[${noVm.length},2,2,2],${noVm},"event":"A","timestamp":{},"reduced":xx,"data":{}}`],
    ['bad-source', '{"sizes":[6,2,0,2],"vm":7,"event":"A","timestamp":{},"data":{}}'],
    ['bad-source', '{"sizes":[6,2,0,2],"vm":x,"event":"A","timestamp":{},"data":{}}'],
    ['bad-source', '{"sizes":[38,2,0,2],"vm":"a","epoch":null,"labels":{"a":1},"event":"A","timestamp":{},"data":{}}'],
    ['bad-event', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":"","timestamp":{},"data":{}}`],
    ['bad-event', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":"gap","missed":-1,"timestamp":{},"data":{}}`],
    ['bad-time', `{"sizes":[${noVm.length},2,0,2],${noVm},"event":"A","received":1e99,"timestamp":{},"data":{}}`],
  ])('is refused by name: %s for %s', (fault, line) => {
    expect(new EventLineReader().read(line)).toBe(fault);
  });

  it('is refused or read, and never more than that, after any damage', () => {
    const line = eventLine(eventRecord(1, { ...stop, reducedData: '{"a":1}' }));
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
        new EventLineReader().read(line.slice(0, at) + put + line.slice(at + 1));
      }),
    );
  });
});
