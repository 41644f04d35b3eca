import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterOf, filtersHere, isShown, labelsMeant, reachOf, withFilter, type EventFilter } from './event-filter.js';

const word = fc.stringMatching(/^[A-Za-z0-9_*?.-]{1,12}$/);
const filters: fc.Arbitrary<EventFilter> = fc.record({
  vm: fc.array(word, { maxLength: 3 }),
  event: fc.array(word, { maxLength: 3 }),
  label: fc.array(fc.stringMatching(/^[a-z]{1,5}=[a-z0-9 ]{1,8}$/), { maxLength: 2 }),
  hide: fc.array(word, { maxLength: 3 }),
  text: fc.string({ maxLength: 20 }),
  range: fc.constantFrom('live', '15m', '1h', '6h', 'all', 'after:k3v9.12'),
  order: fc.constantFrom('newest-first', 'oldest-first'),
});
const defaults = fc.record({
  range: fc.constantFrom('live' as const, '1h' as const),
  hide: fc.constantFrom([], ['operation']),
});
const event = (name: string) => ({ event: name, vm: 'web-1', time: '2026-01-01T00:00:00.000Z' });

describe('a filter in the address', () => {
  it('is read as it was written, beside what else is there', () => {
    fc.assert(
      fc.property(filters, defaults, (filter, usual) => {
        const query = withFilter(new URLSearchParams('other=1'), filter, usual);
        const again = new URLSearchParams(query.toString());
        expect(filterOf(again, usual)).toEqual(filter);
        expect(again.get('other')).toBe('1');
      }),
    );
  });

  it('writes nothing for what nobody chose', () => {
    const usual = { range: '1h' as const, hide: ['operation'] };
    const untouched = filterOf(new URLSearchParams(), usual);
    expect(untouched.hide).toEqual(['operation']);
    expect(withFilter(new URLSearchParams(), untouched, usual).toString()).toBe('');
    expect(withFilter(new URLSearchParams(), { ...untouched, hide: [] }, usual).toString()).toBe('hide=');
  });

  it('takes the default for a range that there is not', () => {
    for (const range of ['', 'constructor', 'after:', '7d'])
      expect(filterOf(new URLSearchParams({ range }), { range: '1h', hide: [] }).range).toBe('1h');
  });
});

describe('what is shown', () => {
  const textOf = () => '{"device":"drive0"}';

  it('is what holds the text, in any case, and has no hidden name', () => {
    expect(isShown({ hide: [], text: 'DRIVE0' }, event('STOP'), textOf)).toBe(true);
    expect(isShown({ hide: [], text: 'drive1' }, event('STOP'), textOf)).toBe(false);
    expect(isShown({ hide: ['RTC_*'], text: '' }, event('RTC_CHANGE'), textOf)).toBe(false);
  });

  it('has every gap', () => {
    expect(isShown({ hide: ['*'], text: 'nothing' }, event('gap'), textOf)).toBe(true);
  });

  it('is filtered in the browser only where it must', () => {
    expect(filtersHere({ hide: [], text: '' })).toBe(false);
    expect(filtersHere({ hide: ['A'], text: '' })).toBe(true);
  });
});

it('labels are key and value', () => {
  expect(labelsMeant(['tenant=a', 'note=a=b', 'broken', '=x'])).toEqual({ tenant: 'a', note: 'a=b' });
});

it('a range says how far it reaches', () => {
  expect([reachOf('15m'), reachOf('1h'), reachOf('all'), reachOf('live')]).toEqual([
    ...[900_000, 3_600_000, undefined, undefined],
  ]);
});
