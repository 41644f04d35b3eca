import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globsOf, matchesGlob } from './glob.js';

describe('a glob', () => {
  it.each([
    ['STOP', 'STOP', true],
    ['STOP', 'STOPPED', false],
    ['BLOCK_*', 'BLOCK_IO_ERROR', true],
    ['*ERROR', 'BLOCK_IO_ERROR', true],
    ['*_IO_*', 'BLOCK_IO_ERROR', true],
    ['?TOP', 'STOP', true],
    ['?TOP', 'TOP', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['stop', 'STOP', false],
    ['a.c', 'abc', false],
    ['web-[1]', 'web-[1]', true],
  ])('%s on %s: %s', (glob, name, expected) => {
    expect(matchesGlob(glob, name)).toBe(expected);
  });

  it('agrees with a regular expression made of it', () => {
    const pieces = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((parts) => parts.join(''));
    const names = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pieces, names, (glob, name) => {
        const pattern = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesGlob(glob, name)).toBe(pattern.test(name));
      }),
    );
  });

  it('takes no longer than the length allows', () => {
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
  });
});

it('a list of globs is separated by commas or spaces', () => {
  expect(globsOf(' BLOCK_*, STOP  RESUME,')).toEqual(['BLOCK_*', 'STOP', 'RESUME']);
  expect(globsOf('')).toEqual([]);
});
