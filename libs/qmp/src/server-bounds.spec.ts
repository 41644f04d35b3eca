import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, isDefinitionName, isEventName, serverBounds, shownText, wholeText } from './server-bounds.js';

describe('what a server chooses', () => {
  it.each(Object.entries(serverBounds))('has a bound, what becomes of more, and a reason: %s', (_name, bound) => {
    expect(bound.most).toBeGreaterThan(0);
    expect(bound.why).toMatch(/^.{20,}\.$/);
  });

  it('is cut to whole characters, in memory of its own', () => {
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('abcd', 3)).toBe('abc');
    expect(cutText('ab\u{1f600}', 3)).toBe('ab');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, most) => {
        const cut = cutText(text, most);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(text.startsWith(cut)).toBe(true);
      }),
    );
  });

  it('is shown without what a terminal obeys, and with an end', () => {
    expect(shownText('a\r\n\u001b[2J\u009b31m\u007f\u2028\u202e z')).toBe(
      'a\ufffd\ufffd\ufffd[2J\ufffd31m\ufffd\ufffd\ufffd z',
    );
    expect(shownText('x'.repeat(1000))).toHaveLength(500);
    expect(shownText('ü'.repeat(10), 4)).toBe('üüü…');
  });

  it('is whole or nothing where a part would be another thing', () => {
    expect(wholeText('running', serverBounds.runState)).toBe('running');
    expect(wholeText('r'.repeat(65), serverBounds.runState)).toBeUndefined();
    expect(wholeText(undefined, serverBounds.runState)).toBeUndefined();
  });

  it('is the name of an event when QAPI could have it', () => {
    const names = ['STOP', 'BLOCK_JOB_READY', '__com.redhat_SPICE_INITIALIZED', 'X', 'BlockJob'];
    expect(names.filter(isEventName)).toEqual(names);
    const others = [
      '',
      'stop',
      'vm-changed',
      'gap',
      'x-vm:STOP',
      ' STOP',
      'STOP ',
      'STOP\n',
      '__x',
      '__com.redhat_stop',
      'É',
    ];
    expect(others.filter(isEventName)).toEqual([]);
  });

  it('is the name of a command when it fits into a path', () => {
    const names = ['query-status', 'device_add', '__com.example_echo', 'x-a.b'];
    expect(names.filter(isDefinitionName)).toEqual(names);
    expect(['', 'a b', 'a/b', '../x', 'a\n', '{}', 'a'.repeat(129), '-a'].filter(isDefinitionName)).toEqual([]);
  });
});
