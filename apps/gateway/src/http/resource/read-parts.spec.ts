import { describe, expect, it } from 'vitest';
import type { Problem } from '../../problems/problem.js';
import { flag, list, text } from './field-type.js';
import { readBody, readParts, type PartShapes } from './read-shape.js';
import { NotWith, Optional, Shape, shapeFaults, ShapeSchemas } from './shape.js';

class Query {
  loud: boolean | undefined = undefined;
}

class Headers {
  'X-Mark': string | undefined = undefined;
}

class Listed {
  list?: readonly string[];
}

class Body {
  text?: string;
  keys?: string;
  layout?: string;
}

// Specs are compiled without decorators, which are functions.
Optional(flag())(Query.prototype, 'loud');
Optional(text({ maxLength: 3 }))(Headers.prototype, 'X-Mark');
for (const name of ['text', 'keys', 'layout'] as const) Optional(text())(Body.prototype, name);
Optional(list(text()))(Listed.prototype, 'list');
NotWith('keys')(Body.prototype, 'layout');
Shape('Body', { closed: true, exactlyOneOf: ['text', 'keys'] })(Body);

interface Sent {
  readonly body?: object;
  readonly query?: string;
  readonly shapes?: PartShapes;
}

function problemOf(read: () => unknown): Problem | undefined {
  try {
    read();
  } catch (error) {
    return error as Problem;
  }
  return undefined;
}

const faultsOf = (read: () => unknown) =>
  problemOf(read)?.fields.errors?.map(({ in: place, pointer, message }) => [place, pointer, message]);

const all: PartShapes = { query: Query, headers: [Headers], body: Body };

describe('the parts of a request', () => {
  it('are found by their classes', () => {
    const request = { headers: { 'x-mark': 'abc' }, gateway: { query: 'loud=true' }, body: { text: 'a' } };
    const parts = readParts(all, request);
    expect([parts.get(Query), parts.get(Headers), parts.get(Body)]).toMatchObject([
      { loud: true },
      { 'X-Mark': 'abc' },
      { text: 'a' },
    ]);
  });

  it.each([
    ['unknown members', { body: Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`m${at}`, 1])) }],
    ['unknown parameters', { query: Array.from({ length: 50_000 }, (_, at) => `q${at}`).join('&') }],
    ['wrong entries', { shapes: { body: Listed }, body: { list: Array.from({ length: 50_000 }, () => 1) } }],
  ])(
    'are told of a hundred faults, however many %s there are',
    (_, { body = { text: 'a' }, query = '', shapes = {} }: Sent) => {
      const problem = problemOf(() => readParts({ ...all, ...shapes }, { headers: {}, gateway: { query }, body }));
      expect(problem?.fields.errors).toHaveLength(101);
      expect(problem?.fields.errors?.at(-1)).toMatchObject({
        pointer: '',
        message: 'has more faults than the 100 listed here',
      });
      expect(problem?.detail).toMatch(/; and 91 more, see errors\.$/);
      expect(JSON.stringify(problem?.fields).length).toBeLessThan(20_000);
    },
  );

  it('are refused together, each fault with its place', () => {
    const request = { headers: { 'x-mark': 'abcd' }, gateway: { query: 'loud=very&load=1' }, body: [] };
    expect(faultsOf(() => readParts(all, request))).toEqual([
      ['query', '/load', 'unknown; it takes loud'],
      ['query', '/loud', 'must be true or false'],
      ['header', '/X-Mark', 'must be a string of at most 3 characters'],
      ['body', '', 'must be a JSON object'],
    ]);
    expect(() => readParts(all, request)).toThrow(
      /The query does not fit: .*A header does not fit: .*The body does not fit: it must be a JSON object\./,
    );
  });
});

describe('a choice of members', () => {
  it.each([
    [{ text: 'a' }, undefined],
    [{}, [['body', '', 'must have exactly one of text, keys']]],
    [{ text: 'a', keys: 'b' }, [['body', '', 'must have exactly one of text, keys']]],
    [{ keys: 'b', layout: 'c' }, [['body', '/layout', 'clashes with keys']]],
    [{ text: 'a', layout: 'c' }, undefined],
  ])('takes or refuses %j', (body, faults) => expect(faultsOf(() => readBody(Body, body))).toEqual(faults));

  it('is a fault wherever the class is checked', () =>
    expect(shapeFaults(Body, {})).toEqual([{ pointer: '', message: 'must have exactly one of text, keys' }]));

  it('is one of several objects in the documents', () => {
    const schemas = new ShapeSchemas();
    expect(schemas.refer(Body)).toEqual({ $ref: '#/components/schemas/Body' });
    const type = 'string';
    const rest = { additionalProperties: false, type: 'object' };
    expect(schemas.components.get('Body')).toEqual({
      oneOf: [
        { properties: { text: { type }, layout: { type } }, required: ['text'], ...rest },
        { properties: { keys: { type }, layout: { type } }, required: ['keys'], ...rest },
      ],
    });
  });
});
