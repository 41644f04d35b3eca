import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BoundedMap } from './bounded-map.js';

it('drops the entry that was set first', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
  expect([...map]).toEqual([
    ['b', 2],
    ['c', 4],
  ]);
});

it('counts what was deleted and set again as young', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2);
  map.delete('a');
  map.set('a', 1).set('c', 3);
  expect([...map.keys()]).toEqual(['a', 'c']);
});

it('starts over after it was cleared', () => {
  const map = new BoundedMap<number, number>(3);
  for (let round = 0; round < 3; round++) {
    for (let key = 0; key < 10; key++) map.set(key, round);
    expect([...map.keys()]).toEqual([7, 8, 9]);
    map.clear();
    expect(map.size).toBe(0);
  }
});

it('refuses to hold nothing', () => expect(() => new BoundedMap(0)).toThrow(RangeError));

it('holds what a plain map that drops its first key would', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 12 }),
    kind: fc.constantFrom('set', 'set', 'set', 'delete'),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 200 }), (most, steps) => {
      const [map, plain] = [new BoundedMap<number, number>(most), new Map<number, number>()];
      steps.forEach(({ key, kind }, at) => {
        if (kind === 'delete') {
          expect(map.delete(key)).toBe(plain.delete(key));
          return;
        }
        if (plain.size >= most && !plain.has(key)) plain.delete([...plain.keys()][0] ?? NaN);
        plain.set(key, at);
        map.set(key, at);
        expect([...map]).toEqual([...plain]);
      });
    }),
  );
});
