import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesAnyGlob, matchesGlob } from './glob.js';

/** The same, the slow and obvious way. */
function matchesByExpression(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

describe('a glob', () => {
  it('knows only the star, and means the whole text', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '?'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '?', '\n'), maxLength: 10 });
    fc.assert(
      fc.property(small, text, (pattern, given) => {
        expect(matchesGlob(pattern, given)).toBe(matchesByExpression(pattern, given));
      }),
      { numRuns: 2000 },
    );
  });

  it('minds the case', () => {
    expect([matchesGlob('STOP', 'STOP'), matchesGlob('stop', 'STOP')]).toEqual([true, false]);
  });

  it('takes no longer for patterns made to take long', () => {
    const began = performance.now();
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(20_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('is one of several', () => {
    expect([matchesAnyGlob(['web-*', 'db'], 'db'), matchesAnyGlob([], 'db')]).toEqual([true, false]);
  });
});
