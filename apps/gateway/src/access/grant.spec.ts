import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversPattern, excess } from './grant.js';
import { isVmPattern } from '../settings/vm-pattern.js';
import { Principal } from './principal.js';

const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 6 });
const id = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 });
const sees = (vms: string[], vmId: string, labels = {}) =>
  new Principal('p', 'p', { level: 'read', vms }).sees({ id: vmId, labels });

describe('coversPattern', () => {
  it.each([
    ['*', 'web-*', true],
    ['*', 'label:tenant=a', true],
    ['web-*', 'web-1', true],
    ['web-*', 'web-1*', true],
    ['web-*', 'web*', false],
    ['web-*', '*', false],
    ['web-*', 'label:tenant=web-1', false],
    ['label:tenant=a*', 'label:tenant=a1', true],
    ['label:tenant=a*', 'label:tenant=*', false],
    ['label:tenant=*', 'label:owner=a', false],
    ['label:tenant=*', 'web-1', false],
  ])('%s covers %s: %s', (outer, inner, covers) => {
    expect(coversPattern(outer, inner)).toBe(covers);
  });

  it('never covers a pattern that reaches a VM the outer one does not', () => {
    fc.assert(
      fc.property(glob, glob, id, (outer, inner, vm) => {
        fc.pre(coversPattern(outer, inner) && sees([inner], vm));
        expect(sees([outer], vm)).toBe(true);
      }),
    );
  });

  it('covers every pattern made of it by putting text for its stars', () => {
    fc.assert(
      fc.property(glob, glob, (outer, text) => {
        expect(
          coversPattern(
            outer,
            outer.replaceAll('*', () => text),
          ),
        ).toBe(true);
      }),
    );
  });
});

describe('excess', () => {
  const giver = { level: 'operate', vms: ['web-*', 'label:tenant=a'] } as const;

  it.each([
    ['operate', ['web-1', 'label:tenant=a'], undefined],
    ['read', ['web-*'], undefined],
    ['configure', ['web-1'], 'level configure is above'],
    ['read', ['web-1', 'db-1'], '"db-1" is outside'],
  ] as const)('%s on %j: %s', (level, vms, told) => {
    const found = excess(giver, { level, vms });
    if (told === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(told);
  });
});

it.each([
  ['web-1', true],
  ['*', true],
  ['label:tenant=a*', true],
  ['label:a/b.c=', true],
  ['', false],
  ['web 1', false],
  ['label:=a', false],
  ['label:tenant', false],
])('%j as an entry of vms: %s', (pattern, valid) => {
  expect(isVmPattern(pattern)).toBe(valid);
});
