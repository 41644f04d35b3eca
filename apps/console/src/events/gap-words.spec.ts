import { describe, expect, it } from 'vitest';
import { gapOf, gapWords } from './gap-words.js';

const count = (number: number) => number.toLocaleString('en');
const titleOf = (data: unknown) => gapWords(gapOf(data), count).title;

describe('a gap in words', () => {
  it('has the exact count, and the VM where there is one', () => {
    expect(titleOf({ vm: 'web-1', from: 'r.1', to: 'r.9', missed: 1234 })).toBe(
      '1,234 events of web-1 are missing here',
    );
    expect(titleOf({ vm: 'web-1', missed: 1 })).toBe('1 event of web-1 is missing here');
    expect(titleOf({ vm: null, missed: 2n })).toBe('2 events are missing here');
  });

  it('says that the count is not known, and why that can be', () => {
    expect(gapWords(gapOf({ vm: null, missed: null }), count)).toEqual({
      title: 'Events may be missing here; how many is not known',
      reason: expect.stringContaining('restarted'),
    });
  });

  it('bears any data', () => {
    for (const data of [null, 'x', [], { vm: 7, missed: '3' }])
      expect(titleOf(data)).toBe('Events may be missing here; how many is not known');
  });
});
