import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPartHead, readRequestHead, type RequestHead } from './exchange-heads.js';

const right: RequestHead = {
  ...{ v: 1, id: 'a1', run: 'r1', until: 12.5, vm: 'web', operation: 'a-1' },
  principal: { id: 'token:1', name: 'ops', level: 'operate', vms: ['*'], commands: { deny: ['quit'] } },
};

describe('the head of a request', () => {
  it('comes out as it went in, without what is not known', () => {
    const all = { ...right, notAfter: 13, more: true, upgrade: true };
    expect(readRequestHead({ ...all, later: 1 })).toEqual(all);
    expect(readRequestHead({ ...right })).toEqual(right);
  });

  it.each([
    ['id', 'a b'],
    ['id', undefined],
    ['run', ''],
    ['until', '1'],
    ['until', Infinity],
    ['notAfter', null],
    ['vm', 1],
    ['operation', '../x'],
    ['more', 'yes'],
    ['upgrade', 1],
    ['principal', undefined],
    ['principal', { ...right.principal, vms: 'all' }],
    ['principal', { ...right.principal, vms: [1] }],
    // Rules that are lost would permit more.
    ['principal', { ...right.principal, commands: 'none' }],
    ['principal', { ...right.principal, commands: { deny: 'quit' } }],
    ['principal', { ...right.principal, endpoints: [null] }],
  ])('is none with a %s of %j', (member, value) => {
    expect(readRequestHead({ ...right, [member]: value })).toBeUndefined();
  });

  it('is read or refused, whatever comes', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (head) => void readRequestHead(head)));
  });
});

describe('the head of a part', () => {
  it.each([
    { kind: 'bytes', index: 0 },
    { kind: 'bytes', index: 7, last: { bytes: 12, sha256: 'a'.repeat(64) } },
    { kind: 'taken', count: 3 },
    { kind: 'broken' },
    { kind: 'revoked' },
    { kind: 'refused', why: 'expired' },
    { kind: 'refused', why: 'expired', at: 12.5 },
  ])('comes out as it went in: %j', (head) => {
    expect(readPartHead(head)).toEqual(head);
  });

  it('that is refused for a reason of a later release is refused all the same', () => {
    expect(readPartHead({ kind: 'refused', why: 'full-moon' })).toEqual({ kind: 'refused', why: 'busy' });
  });

  it.each([
    {},
    { kind: 'other' },
    { kind: 'bytes' },
    { kind: 'bytes', index: -1 },
    { kind: 'bytes', index: 0, last: {} },
    { kind: 'bytes', index: 0, last: { bytes: 1, sha256: 'x' } },
    { kind: 'taken', count: 1.5 },
  ])('is none: %j', (head) => {
    expect(readPartHead(head)).toBeUndefined();
  });
});
