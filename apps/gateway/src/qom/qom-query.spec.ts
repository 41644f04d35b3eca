import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readQuery } from '../http/resource/read-shape.js';
import type { Problem } from '../problems/problem.js';
import { QomQuery } from './qom-query.js';

const viewOf = (query: string) => readQuery(QomQuery, query).view();

function faultsOf(query: string): unknown {
  try {
    viewOf(query);
  } catch (error) {
    const { code, fields } = error as Problem;
    return { code, errors: fields.errors };
  }
  return undefined;
}

describe('the query of an object', () => {
  it('asks for the object alone unless it says more', () => {
    expect(viewOf('')).toEqual({ depth: 0, values: 'self', budget: 1000 });
    expect(viewOf('depth=3&values=all&budget=5')).toEqual({ depth: 3, values: 'all', budget: 5 });
  });

  it('with a filter looks everywhere below', () => {
    expect(viewOf('type=virtio-*')).toMatchObject({ depth: 32, type: 'virtio-*' });
    expect(viewOf('search=MAC&depth=1')).toMatchObject({ depth: 1, search: 'mac' });
  });

  it.each([
    ['depth=-1', '/depth'],
    ['depth=33', '/depth'],
    ['depth=1e1', '/depth'],
    ['depth=1&depth=2', '/depth'],
    ['budget=0', '/budget'],
    ['budget=10001', '/budget'],
    ['values=some', '/values'],
    ['search=', '/search'],
    [`type=${'x'.repeat(201)}`, '/type'],
    ['path=/machine', '/path'],
    ['timeout=5', '/timeout'],
  ])('refuses %s', (query, pointer) =>
    expect(faultsOf(query)).toMatchObject({ code: 'invalid-request', errors: [{ in: 'query', pointer }] }),
  );

  it('is told all of its faults, and the nearest names', () =>
    expect(faultsOf('depht=1&depth=33&values=some')).toMatchObject({
      errors: [
        { pointer: '/depht', suggestions: ['depth'] },
        { pointer: '/depth', message: 'must be a whole number from 0 to 32' },
        { pointer: '/values', message: 'must be one of none, self, all' },
      ],
    }));

  it('takes every depth and budget within the bounds, and no others', () =>
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -10, max: 10_010 }), (depth, budget) => {
        const fits = depth >= 0 && depth <= 32 && budget >= 1 && budget <= 10_000;
        const query = `depth=${depth}&budget=${budget}`;
        if (fits) expect(viewOf(query)).toMatchObject({ depth, budget });
        else expect(faultsOf(query)).toMatchObject({ code: 'invalid-request' });
      }),
    ));
});
