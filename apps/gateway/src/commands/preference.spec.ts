import { describe, expect, it } from 'vitest';
import { readPreference } from './preference.js';
import { longestWaitMs } from '../settings/longest-wait.js';

describe('Prefer', () => {
  it.each([
    ['wait=30', 30_000, 'wait=30'],
    ['wait=30s', 30_000, 'wait=30'],
    ['wait = "5"', 5000, 'wait=5'],
    ['Wait=500ms', 500, 'wait=0.5'],
    ['wait=2h', longestWaitMs, 'wait=600'],
    ['respond-async', 0, 'respond-async'],
    ['respond-async, wait=10', 10_000, 'respond-async, wait=10'],
    ['wait=10; foo=bar, respond-async', 10_000, 'respond-async, wait=10'],
    ['return=minimal, wait=0', 0, 'wait=0'],
  ])('%s', (header, waitMs, applied) => {
    expect(readPreference(header)).toEqual({ waitMs, applied });
  });

  it('of other things is ignored', () => {
    for (const header of [undefined, '', 'return=minimal', 'handling=lenient, waiting=3'])
      expect(readPreference(header)).toBeUndefined();
  });

  it.each(['wait', 'wait=', 'wait=soon', 'wait=-1'])('%s is no duration', (header) => {
    expect(() => readPreference(header)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });
});
