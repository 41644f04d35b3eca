import { describe, expect, it } from 'vitest';
import type { Problem } from '../problems/problem.js';
import { readQomView } from './qom-query.js';

describe('the query of an object', () => {
  it('asks for the object alone unless it says more', () => {
    expect(readQomView('')).toEqual({ depth: 0, values: 'self', budget: 1000 });
    expect(readQomView('depth=3&values=all&budget=5')).toEqual({ depth: 3, values: 'all', budget: 5 });
  });

  it('with a filter looks everywhere below', () => {
    expect(readQomView('type=virtio-*')).toMatchObject({ depth: 32, type: 'virtio-*' });
    expect(readQomView('search=MAC&depth=1')).toMatchObject({ depth: 1, search: 'mac' });
  });

  it.each([
    ['depth=-1', 'depth'],
    ['depth=33', 'depth'],
    ['depth=1e1', 'depth'],
    ['budget=0', 'budget'],
    ['budget=10001', 'budget'],
    ['values=some', 'values'],
    ['search=', 'search'],
    [`type=${'x'.repeat(201)}`, 'type'],
    ['path=/machine', 'path'],
  ])('refuses %s', (query, pointer) => {
    let refusal: unknown;
    try {
      readQomView(query);
    } catch (error) {
      refusal = error;
    }
    expect((refusal as Problem).fields.errors).toMatchObject([{ pointer }]);
  });
});
