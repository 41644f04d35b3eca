import { describe, expect, it } from 'vitest';
import { firstWord, readHumanLine } from './human-line.js';

/** Each was tried with the human monitor of QEMU 11.1. */
describe('a line of the human monitor', () => {
  it.each([
    ['qom-set /a b', 'qom-set', '/a'],
    ['\t\n\v\f\r qom-set\v/a', 'qom-set', '/a'],
    ['qom-set/objects/mon0 pretty true', 'qom-set', '/objects/mon0'],
    ['qom-set -j/a b', 'qom-set', '/a'],
    ['qom-set -j "a b"c', 'qom-set', 'a b'],
    ['qom-set "a\\\\b\\"c\\n"', 'qom-set', 'a\\b"c\n'],
    ['qom-set a"b c', 'qom-set', 'a"b'],
    ['qom-set a\u00a0b', 'qom-set', 'a\u00a0b'],
    ['qom-set', 'qom-set', undefined],
    ['qom-set "not ended', 'qom-set', undefined],
    ['qom-set "odd \\escape"', 'qom-set', undefined],
    ['', '', undefined],
  ])('%j is %s of %j', (line, name, word) => {
    const read = readHumanLine(line);
    const first = firstWord(read.rest);
    expect([read.name, first.kind === 'none' ? undefined : first.text]).toEqual([name, word]);
  });

  it('has words that are cut', () => {
    expect(firstWord(` ${'a'.repeat(1000)}`).kind).toBe('word');
    expect(firstWord(` "${'\u00e9'.repeat(501)}"`).kind).toBe('cut');
  });
});
