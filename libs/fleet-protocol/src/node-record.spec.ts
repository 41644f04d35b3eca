import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeNodeRecord,
  decodeSnapshot,
  encodeNodeRecord,
  encodeSnapshot,
  RecordFault,
  type NodeRecord,
} from './node-record.js';

const record: NodeRecord = {
  ...{ node: 'host-17', run: 'r1', identity: 'i1', version: '0.1.0', speaks: [1] },
  ...{ number: 7, sequence: 3, isClaim: false, vms: 1, slot: 1, pieces: 0 },
};

describe('the record of a node', () => {
  it('comes back as it was written, with what follows its head', () => {
    const bytes = encodeNodeRecord(record, Buffer.from('{"a":1}\nb'));
    const read = decodeNodeRecord(bytes);
    expect(read.record).toEqual(record);
    expect(Buffer.from(read.body).toString()).toBe('{"a":1}\nb');
  });

  it.each([
    ['', 'no head'],
    ['{"v":1}', 'no head'],
    ['[]\n', 'no object'],
    ['{"v":\n', 'not JSON'],
    ['{"v":2}\n', 'version 2'],
    ['{"v":1}\n', 'node is no text'],
    [`${JSON.stringify({ v: 1, ...record, number: -1 })}\n`, 'number is no count'],
    [`${JSON.stringify({ v: 1, ...record, pieces: 1e6 })}\n`, 'pieces is no count'],
  ])('is refused with a word about it: %j', (text, said) => {
    expect(() => decodeNodeRecord(Buffer.from(text))).toThrow(RecordFault);
    expect(() => decodeNodeRecord(Buffer.from(text))).toThrow(said);
  });
});

describe('the snapshot of a node', () => {
  const vm = fc
    .record({
      id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/),
      labels: fc.dictionary(fc.string(), fc.string()),
      epoch: fc.option(fc.string()),
      full: fc.json({ maxDepth: 1 }),
      reduced: fc.json({ maxDepth: 1 }),
    })
    .map(({ full, reduced, ...of }) => ({
      ...of,
      full: `{"id":"${of.id}","is":${full}}`,
      reduced: `{"id":"${of.id}","is":${reduced}}`,
    }));

  it('holds any VMs', () => {
    fc.assert(
      fc.property(fc.array(vm), (vms) => {
        const read = [...decodeSnapshot(Buffer.from(encodeSnapshot(vms)))];
        expect(read).toEqual(vms.map((each) => ({ ...each, labels: { ...each.labels } })));
      }),
    );
  });

  it.each([
    ['a view that is no JSON', { full: '{"id":"a",' }],
    ['a view that is no object', { reduced: '7' }],
    ['the view of another VM', { full: '{"id":"b"}' }],
    ['a view that ends itself', { reduced: '{"id":"a"}],"more":[{"id":"a"}' }],
    ['a name that no VM has', { id: '../a', full: '{"id":"../a"}', reduced: '{"id":"../a"}' }],
  ])('is refused with %s: it would be in the lists of all nodes', (_, wrong) => {
    const right = { id: 'a', labels: {}, epoch: null, full: '{"id":"a"}', reduced: '{"id":"a"}' };
    const text = encodeSnapshot([right, { ...right, ...wrong }]);
    expect(() => [...decodeSnapshot(Buffer.from(text))]).toThrow(RecordFault);
  });

  it('that ends too early is refused', () => {
    const text = encodeSnapshot([{ id: 'a', labels: {}, epoch: null, full: '{"id":"a"}', reduced: '{"id":"a"}' }]);
    expect(() => [...decodeSnapshot(Buffer.from(text.slice(0, -1)))]).toThrow('ends within a VM');
  });
});
