import { expect, it } from 'vitest';
import { TokenRequest } from './token-shapes.js';
import { Problem } from '../../problems/problem.js';
import { readBody } from '../../http/resource/read-shape.js';

/** Where the faults are. */
const pointers = (body: unknown): unknown => {
  try {
    return readBody(TokenRequest, body);
  } catch (error) {
    if (error instanceof Problem) return error.fields.errors?.map(({ pointer }) => pointer);
    throw error;
  }
};

it('reads what fits', () => {
  const read = readBody(TokenRequest, { level: 'read', name: 'x' });
  expect(read).toBeInstanceOf(TokenRequest);
  expect(read).toEqual({ level: 'read', name: 'x', vms: undefined, expires: undefined });
});

it.each([
  [{ level: 'read', name: 5, nmae: 'x' }, ['/nmae', '/name']],
  [{}, ['/level']],
  [{ level: 'read', vms: [], expires: 'soon' }, ['/vms', '/expires']],
  [{ level: 'read', constructor: 1 }, ['/constructor']],
  [{ level: 'read', 'a/b~c': 1 }, ['/a~1b~0c']],
  [null, ['']],
  [[], ['']],
  ['read', ['']],
])('%j is wrong at %j', (body, where) => {
  expect(pointers(body)).toEqual(where);
});

it('takes a key named __proto__ for any other unknown one', () => {
  const body = Object.assign(Object.create(null) as object, { level: 'read' });
  Object.defineProperty(body, '__proto__', { value: { age: 9 }, enumerable: true });
  expect(pointers(body)).toEqual(['/__proto__']);
});

it('repeats no value: it may be a secret', () => {
  try {
    readBody(TokenRequest, { level: 'read', name: { secret: 'hunter2' } });
  } catch (error) {
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect((error as Problem).detail).not.toContain('hunter2');
    return;
  }
  throw new Error('it was taken');
});
