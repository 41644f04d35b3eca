import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../problems/problem.js';
import {
  choice,
  constant,
  either,
  flag,
  list,
  mapOf,
  nullable,
  text,
  wholeNumber,
  type ShapeClass,
} from './field-type.js';
import { noJson, readBody, readHeaders, readQuery } from './read-shape.js';
import { Optional, Required, Shape, shape, shapeFaults, ShapeSchemas } from './shape.js';

/** Declares the members of a class as decorators do; specs are compiled without them. */
function members(of: ShapeClass, decorators: Readonly<Record<string, (target: never, name: never) => void>>): void {
  for (const [name, decorate] of Object.entries(decorators)) decorate(of.prototype as never, name as never);
}

class Inner {
  kind: unknown;
  names: unknown;
}
Shape('Inner', { closed: true })(Inner);
members(Inner, {
  kind: Required(choice(['a', 'b'])),
  names: Optional(list(text({ minLength: 1 }), { most: 2 })),
});

class Outer {
  count: unknown;
  on: unknown;
  inner: unknown;
  mixed: unknown;
}
Shape('Outer', { closed: true })(Outer);
members(Outer, {
  count: Required(wholeNumber({ least: 1, most: 9 })),
  on: Optional(nullable(flag())),
  inner: Optional(mapOf(shape(() => Inner))),
  mixed: Optional(either<string | true>([constant(true), text({ maxLength: 3 })])),
});

class Selection {
  vm: unknown = undefined;
  limit: unknown = undefined;
  verify: unknown = undefined;
}
members(Selection, {
  vm: Optional(list(text())),
  limit: Optional(wholeNumber({ least: 1, most: 10 })),
  verify: Optional(flag()),
});

class Digest {
  'Content-Digest': unknown;
}
members(Digest, { 'Content-Digest': Optional(text({ pattern: /^sha-256=/, takes: 'sha-256=:…:' })) });

function faultsOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.fields.errors?.map(({ in: place, pointer, message }) => `${place} ${pointer} ${message}`);
  }
}

describe('a body', () => {
  it('becomes an object of its class', () => {
    const read = readBody(Outer, { count: 3, on: null, inner: { x: { kind: 'a', names: ['n'] } } });
    expect(read).toBeInstanceOf(Outer);
    expect(read).toMatchObject({ count: 3, on: null, inner: { x: { kind: 'a', names: ['n'] } } });
  });

  it('is refused with a pointer for each fault, at any depth', () => {
    const body = { cuont: 1, on: 'yes', inner: { 'a/b': { kind: 'c', names: ['', 'x'], more: 1 } } };
    expect(faultsOf(() => readBody(Outer, body))).toEqual([
      'body /cuont unknown; it takes count, on, inner, mixed',
      'body /count missing',
      'body /on must be true or false',
      'body /inner/a~1b/more unknown; it takes kind, names',
      'body /inner/a~1b/kind must be one of a, b',
      'body /inner/a~1b/names/0 must be a string that is not empty',
    ]);
  });

  it('with a name that is nearly right is told in the sentence what was meant', () => {
    expect(() => readBody(Outer, { cuont: 1 })).toThrow(
      '/cuont unknown; it takes count, on, inner, mixed (did you mean count?);',
    );
  });

  it('that is not there is said to be missing, and what it would hold', () => {
    const missing = 'is missing; send a JSON object; it takes count, on, inner, mixed';
    expect(faultsOf(() => readBody(Outer, undefined))).toEqual([`body  ${missing}`]);
    expect(() => readBody(Outer, undefined)).toThrow(`The body does not fit: it ${missing}.`);
    expect(noJson('a value')).toMatchObject({
      ...{ code: 'malformed-json', detail: 'The body does not fit: it is missing; send a value.' },
      fields: { errors: [{ in: 'body', pointer: '', message: 'is missing; send a value' }] },
    });
  });

  it.each([null, [], 'text', 5])('that is %j is no object', (body) => {
    expect(faultsOf(() => readBody(Outer, body))).toEqual(['body  must be a JSON object']);
  });

  it('may hold any key there is, and none gets into the prototype', () => {
    const body = Object.assign(Object.create(null) as object, { count: 1 });
    Object.defineProperty(body, '__proto__', { value: { polluted: true }, enumerable: true });
    expect(faultsOf(() => readBody(Outer, body))).toEqual([
      'body /__proto__ unknown; it takes count, on, inner, mixed',
    ]);
  });
});

describe('a query', () => {
  it('has the types its class declares', () => {
    expect(readQuery(Selection, 'vm=a&vm=b&limit=5&verify=false')).toEqual({ vm: ['a', 'b'], limit: 5, verify: false });
    expect(readQuery(Selection, '')).toEqual({ vm: undefined, limit: undefined, verify: undefined });
  });

  it('is refused with all its faults', () => {
    expect(faultsOf(() => readQuery(Selection, 'limit=x&verify=1&verify=2&lmit=3'))).toEqual([
      'query /lmit unknown; it takes vm, limit, verify',
      'query /verify given more than once',
      'query /limit must be a whole number from 1 to 10',
    ]);
  });

  it('is told where a parameter belongs that is none here', () => {
    expect(faultsOf(() => readQuery(Selection, 'timeout=2s', () => 'send the header Request-Timeout'))).toEqual([
      'query /timeout send the header Request-Timeout',
    ]);
  });
});

it('reads headers by their declared names, and leaves all others alone', () => {
  expect(readHeaders(Digest, { 'content-digest': 'sha-256=:x:', other: '1' })).toEqual({
    'Content-Digest': 'sha-256=:x:',
  });
  expect(faultsOf(() => readHeaders(Digest, { 'content-digest': 'md5=:x:' }))).toEqual([
    'header /Content-Digest must be sha-256=:…:',
  ]);
});

describe('the schema of a shape', () => {
  const schemas = new ShapeSchemas();
  schemas.refer(Outer);

  it('has what was declared', () => {
    expect(schemas.components.get('Inner')).toEqual({
      type: 'object',
      properties: {
        kind: { type: 'string', enum: ['a', 'b'] },
        names: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 2 },
      },
      required: ['kind'],
      additionalProperties: false,
    });
  });

  it('accepts what the check accepts, and nothing else', () => {
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    const components = { schemas: Object.fromEntries(schemas.components) };
    const validate = ajv.compile({ $ref: '#/components/schemas/Outer', components });
    const scalar = fc.oneof(
      ...[fc.constantFrom('a', 'b', '', 'abcd'), fc.integer({ min: -1, max: 11 }), fc.boolean(), fc.constant(null)],
    );
    const inner = fc.record(
      {
        kind: fc.constantFrom('a', 'b', 'c', 1),
        names: fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
        x: scalar,
      },
      { requiredKeys: [] },
    );
    const outer = fc.record(
      {
        count: scalar,
        on: scalar,
        inner: fc.oneof(scalar, fc.dictionary(fc.constantFrom('p', 'q'), fc.oneof(inner, scalar))),
        mixed: scalar,
        more: scalar,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(outer, (value) => {
        expect(shapeFaults(Outer, value).length === 0).toBe(validate(value));
      }),
      { numRuns: 1000 },
    );
  });
});
