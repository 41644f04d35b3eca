import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonPointer, jsonPointerSteps } from './json-pointer.js';

it.each([
  [[], ''],
  [['a', 0, 'b'], '/a/0/b'],
  [[''], '/'],
  [['a/b', 'm~n', '~1'], '/a~1b/m~0n/~01'],
])('%j is %j', (path, pointer) => {
  expect(jsonPointer(path)).toBe(pointer);
});

it('leads back to what it was made of', () => {
  const step = fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a') });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      expect(jsonPointerSteps(jsonPointer(steps))).toEqual(steps);
    }),
  );
});
