import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchema } from './compile-schema.js';
import { QapiSchemaError } from './position.js';

/** A schema with something of everything, to be broken. */
const WHOLE = `
{ 'pragma': { 'doc-required': false, 'command-returns-exceptions': [ 'tell' ] } }
##
# @Kind:
#
# What it is.
#
# @plain: as it comes
#
# @rich: with more
#     on it (since 2.1)
#
# Features:
#
# @f: a feature
#
# Since: 2.0
##
{ 'enum': 'Kind', 'prefix': 'KIND', 'data': [ 'plain', { 'name': 'rich', 'if': 'CONFIG_RICH' } ], 'features': [ 'f' ] }
{ 'struct': 'Base', 'data': { 'kind': 'Kind', '*size': { 'type': 'uint64', 'features': [ 'deprecated' ] } } }
{ 'struct': 'More', 'data': { 'list': [ 'Thing' ] }, 'if': { 'any': [ 'A', { 'not': 'B' } ] } }
{ 'union': 'Thing', 'base': 'Base', 'discriminator': 'kind', 'data': { 'rich': 'More' } }
{ 'alternate': 'Loose', 'data': { 'thing': 'Thing', 'number': 'int', 'none': 'null' } }
{ 'command': 'tell', 'data': 'Thing', 'boxed': true, 'returns': 'str', 'allow-oob': true } # in time
{ 'command': 'ask', 'data': { 'what': 'Loose', '*how': 'any' }, 'returns': [ 'Thing' ], 'coroutine': true }
{ 'event': 'TOLD', 'data': { 'thing': 'Thing' }, 'features': [ { 'name': 'unstable', 'if': 'C' } ] }
{ 'include': 'schema.json.inc' }
`;

/** Pieces that mean something to the language, and some that do not. */
const PIECES = [
  ...["{ 'struct': 'Base', 'data': {} }", "'", '{', '}', '[', ']', ':', ',', '#', '##', '\n##\n', '\n', '\\'],
  ...["'if': ", "'data': ", "'__proto__'", "'Thing'", "'int'", 'true', 'false', '@', '# @x:', '\u0000', '\ud800'],
];

/** Compiles `text`; whatever it includes is empty. */
function outcome(text: string): 'model' | QapiSchemaError {
  try {
    const { model } = compileSchema('schema.json', { read: (path) => (path === 'schema.json' ? text : '') });
    expect(model.commands).toBeInstanceOf(Map);
    return 'model';
  } catch (error) {
    if (error instanceof QapiSchemaError) return error;
    throw error;
  }
}

function expectVerdict(text: string): void {
  const result = outcome(text);
  if (result === 'model') return;
  expect(result.file).toBe('schema.json');
  expect(result.line).toBeGreaterThanOrEqual(1);
  expect(result.line).toBeLessThanOrEqual(text.split(/\r\n|\r|\n/).length);
  expect(result.problem).not.toBe('');
}

describe('any text', () => {
  it('compiles as a whole', () => expect(outcome(WHOLE)).toBe('model'));

  it('ends in a model or an error with file and line when cut off', () => {
    for (let end = 0; end < WHOLE.length; end++) expectVerdict(WHOLE.slice(0, end));
  });

  it('does so when pieces are cut out, put in or moved', () => {
    const place = fc.nat({ max: WHOLE.length });
    const edit = fc.record({ at: place, cut: fc.nat({ max: 40 }), piece: fc.constantFrom('', ...PIECES) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = WHOLE;
        for (const { at, cut, piece } of edits) text = text.slice(0, at) + piece + text.slice(at + cut);
        expectVerdict(text);
      }),
      { numRuns: 3000 },
    );
  });

  it('does so when names are swapped', () => {
    const strings = [...new Set(WHOLE.match(/'[^'\n]*'/g))];
    const swap = fc.tuple(fc.constantFrom(...strings), fc.constantFrom(...strings, 'true', '[]', '{}'));
    fc.assert(
      fc.property(fc.array(swap, { minLength: 1, maxLength: 3 }), (swaps) => {
        expectVerdict(swaps.reduce((text, [from, to]) => text.replace(from, to), WHOLE));
      }),
      { numRuns: 2000 },
    );
  });

  it('does so when it is noise', () => {
    const noise = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 60 });
    fc.assert(
      fc.property(noise, (pieces) => expectVerdict(pieces.join(''))),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['one long word', 'x'.repeat(1_000_000)],
    ['one long name', `{ 'command': '${'a-'.repeat(500_000)}_' }`],
    ['one long prefix', `{ 'command': '__${'a-'.repeat(500_000)}' }`],
    ['one long doc line', `##\n# @${'a '.repeat(500_000)}\n##`],
    ['one long description', `##\n# @go:\n#\n# @a${' '.repeat(500_000)}x\n##`],
    [
      'many members',
      `{ 'struct': 'Ss', 'data': { ${Array.from({ length: 50_000 }, (_, n) => `'m${n}': 'int'`).join()} } }`,
    ],
    ['deep arrays', '{ '.repeat(200_000)],
    ['many blank lines', '\n'.repeat(1_000_000)],
  ])('does so in time for %s', (_, text) => expectVerdict(text));
});
