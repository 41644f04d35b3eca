import { describe, expect, it } from 'vitest';
import { errorOf, manyFeatures, PART, TWO, union } from './schema-text.scene.js';

/** What breaks a rule, the line that is told, and what is said. */
type Broken = readonly [rule: string, text: string, line: number, says: string];

const syntax: Broken[] = [
  ['a string ends on its line', "\n{ 'enum", 2, 'not closed'],
  ['only a backslash can be escaped', "{ 'a\\nb': 1 }", 1, "'\\n' is not an escape"],
  ['strings are ASCII', "{ 'ünum': [] }", 1, 'printable ASCII'],
  ['strings hold no control characters', "{ 'a\tb': [] }", 1, 'printable ASCII'],
  ['there are no numbers', "{ 'a': 12 }", 1, "unexpected '12'"],
  ['there is no null', "{ 'a': null }", 1, "unexpected 'null'"],
  ['strings have single quotes', '{ "a": true }', 1, `unexpected '"a"'`],
  ['the top level holds objects', "\n[ 'a' ]", 2, 'objects'],
  ['a key is a string', "{ [ ]: 'a' }", 1, "not '['"],
  ['a key has a colon', "{ 'a' 'b' }", 1, "expected ':'"],
  ['members have commas between them', "{ 'a': 'b'\n 'c': 'd' }", 2, "expected ',' or '}'"],
  ['no comma trails in objects', "{ 'a': 'b',\n}", 2, "not '}'"],
  ['no comma leads in objects', "{ , 'a': 'b' }", 1, "not ','"],
  ['elements have commas between them', "{ 'a': [ 'b'\n'c' ] }", 2, "expected ',' or ']'"],
  ['no comma trails in arrays', "{ 'a': [ 'b',\n] }", 2, "not ']'"],
  ['objects are closed', "{ 'a': 'b'\n", 1, 'the end of the file'],
  ['arrays are closed', "{ 'a': [ true", 1, 'the end of the file'],
  ['keys are given once', "{ 'a': 'b',\n 'a': 'c' }", 2, 'given twice'],
  ['nesting is bounded', '['.repeat(5000), 1, 'nested deeper'],
  ['no documentation stands inside', "{ 'a':\n##\n# @a:\n##\n'b' }", 2, 'documentation comment'],
];

const directives: Broken[] = [
  ['pragma takes an object', "{ 'pragma': [] }", 1, 'takes an object'],
  ['pragma stands alone', "{ 'pragma': {}, 'x': 'y' }", 1, 'stands alone'],
  ['pragmas are known', "{ 'pragma': { 'nice': true } }", 1, "unknown pragma 'nice'"],
  ['doc-required is a boolean', "{ 'pragma': { 'doc-required': 'yes' } }", 1, 'takes a boolean'],
  ['lists of exceptions are lists', "{ 'pragma': { 'member-name-exceptions': 'A' } }", 1, 'list of strings'],
  ['lists of exceptions hold strings', "{ 'pragma': { 'command-name-exceptions': [ true ] } }", 1, 'list of strings'],
  ['include takes a string', "{ 'include': [ 'a' ] }", 1, 'takes a string'],
  ['include stands alone', "{ 'include': 'a', 'if': 'B' }", 1, 'stands alone'],
];

const definitions: Broken[] = [
  ['something is defined', "{ 'data': {} }", 1, 'exactly one of the keys'],
  ['one thing is defined', "{ 'struct': 'Aa', 'enum': 'Bb', 'data': {} }", 1, 'exactly one of the keys'],
  ['the name is a string', "{ 'command': [ 'a' ] }", 1, "'command' should be a string"],
  ['keys are known', "{ 'command': 'a', 'color': true }", 1, "in command 'a': the command has an unknown key 'color'"],
  ['keys are not missing', "{ 'struct': 'Aa' }", 1, "has no 'data'"],
  ['commands are lower case', "{ 'command': 'Do-it' }", 1, 'must be lower case'],
  ['commands have no underscore', "{ 'command': 'do_it' }", 1, 'must be lower case'],
  ['events are upper case', "{ 'event': 'Done' }", 1, 'must be upper case'],
  ['events have no dash', "{ 'event': 'IT-DONE' }", 1, 'must be upper case'],
  ['types are CamelCase', "{ 'struct': 'aB', 'data': {} }", 1, 'must be CamelCase'],
  ['types are not all upper case', "{ 'struct': 'ABC', 'data': {} }", 1, 'must be CamelCase'],
  ['List is for arrays', "{ 'struct': 'AaList', 'data': {} }", 1, "end in 'List'"],
  ['q- is reserved', "{ 'command': 'q-it' }", 1, 'is not a valid name'],
  ['names begin with a letter', "{ 'command': '9lives' }", 1, 'is not a valid name'],
  ['names are not empty', "{ 'command': '' }", 1, 'is not a valid name'],
  ['a downstream prefix ends', "{ 'command': '__example' }", 1, 'is not a valid name'],
  ['names are taken once', `${TWO}\n{ 'struct': 'Two', 'data': {} }`, 2, "'Two' is already defined (test.json:1"],
  ['commands and types share names', `{ 'command': 'bool' }`, 1, 'already defined (built in'],
  ['QType is built in', "{ 'enum': 'QType', 'data': [] }", 1, 'already defined'],
];

const conditions: Broken[] = [
  ['a condition is a string or object', "{ 'command': 'a', 'if': [] }", 1, "'if' of the command should be a string"],
  ['a condition is a symbol', "{ 'command': 'a', 'if': 'defined(X)' }", 1, 'not a configuration symbol'],
  ['operators are known', "{ 'command': 'a', 'if': { 'none': [ 'X' ] } }", 1, "unknown key 'none'"],
  ['one operator at a time', "{ 'command': 'a', 'if': { 'all': [ 'X' ], 'not': 'Y' } }", 1, 'exactly one of'],
  ['an operator is there', "{ 'command': 'a', 'if': {} }", 1, 'exactly one of'],
  ['all takes an array', "{ 'command': 'a', 'if': { 'all': 'X' } }", 1, 'should be an array'],
  ['any is not empty', "{ 'command': 'a', 'if': { 'any': [] } }", 1, 'is empty'],
  ['not takes a condition', "{ 'command': 'a', 'if': { 'not': [ 'X' ] } }", 1, 'should be a string'],
  ['inner ones are checked', "{ 'command': 'a', 'if': { 'any': [ 'X', { 'not': 'y' } ] } }", 1, "'y'"],
];

const features: Broken[] = [
  ['features are an array', "{ 'command': 'a', 'features': 'f' }", 1, 'should be an array'],
  ['a feature has a name', "{ 'command': 'a', 'features': [ { 'if': 'X' } ] }", 1, "has no 'name'"],
  ['the name is a string', "{ 'command': 'a', 'features': [ [] ] }", 1, 'should be a string'],
  ['names are lower case', "{ 'command': 'a', 'features': [ 'F' ] }", 1, 'must be lower case'],
  ['keys are known', "{ 'command': 'a', 'features': [ { 'name': 'f', 'in': 'X' } ] }", 1, "unknown key 'in'"],
  ['names are given once', "{ 'command': 'a', 'features': [ 'f', 'f' ] }", 1, 'collides'],
  ['types are not deprecated', "{ 'struct': 'Aa', 'data': {}, 'features': [ 'deprecated' ] }", 1, 'not for types'],
  ['types are not unstable', "{ 'enum': 'Aa', 'data': [], 'features': [ 'unstable' ] }", 1, 'not for types'],
  ['there are 64 at most', manyFeatures(63), 63, 'at most 64'],
];

const enums: Broken[] = [
  ['values are an array', "{ 'enum': 'Ee', 'data': { 'a': 'b' } }", 1, 'should be an array'],
  ['a value is a string', "{ 'enum': 'Ee', 'data': [ true ] }", 1, 'should be a string'],
  ['a value has a name', "{ 'enum': 'Ee', 'data': [ { 'if': 'X' } ] }", 1, "has no 'name'"],
  ['keys of a value are known', "{ 'enum': 'Ee', 'data': [ { 'name': 'a', 'is': 'X' } ] }", 1, "unknown key 'is'"],
  ['values are lower case', "{ 'enum': 'Ee', 'data': [ 'A' ] }", 1, 'must be lower case'],
  ['values have valid names', "{ 'enum': 'Ee', 'data': [ 'a b' ] }", 1, 'is not a valid name'],
  [
    'values are told apart in C',
    "{ 'pragma': { 'member-name-exceptions': [ 'Ee' ] } }\n{ 'enum': 'Ee', 'data': [ 'a-b', 'a_b' ] }",
    2,
    "value 'a_b' collides with value 'a-b'",
  ],
  ['values are given once', "{ 'enum': 'Ee', 'data': [ 'a-b', 'a-b' ] }", 1, 'collides'],
  ['the prefix is a string', "{ 'enum': 'Ee', 'prefix': [], 'data': [] }", 1, "'prefix' should be a string"],
];

const structs: Broken[] = [
  ['data is an object', "{ 'struct': 'Ss', 'data': [ 'int' ] }", 1, 'should be an object'],
  ['a member has a type', "{ 'struct': 'Ss', 'data': { 'a': { 'if': 'X' } } }", 1, "has no 'type'"],
  ['a type is named', "{ 'struct': 'Ss', 'data': { 'a': true } }", 1, 'should be the name of a type'],
  ['structs do not nest', "{ 'struct': 'Ss', 'data': { 'a': { 'b': 'int' } } }", 1, "has no 'type'"],
  ['an array has one type', "{ 'struct': 'Ss', 'data': { 'a': [ 'int', 'str' ] } }", 1, 'one type'],
  ['an array has a type', "{ 'struct': 'Ss', 'data': { 'a': [] } }", 1, 'one type'],
  ['members are lower case', "{ 'struct': 'Ss', 'data': { 'aB': 'int' } }", 1, 'must be lower case'],
  ['u is reserved', "{ 'struct': 'Ss', 'data': { '*u': 'int' } }", 1, 'reserved'],
  ['has- is reserved', "{ 'struct': 'Ss', 'data': { 'has-a': 'int' } }", 1, 'reserved'],
  ['an optional member has a name', "{ 'struct': 'Ss', 'data': { '*': 'int' } }", 1, 'is not a valid name'],
  ['a member comes once', "{ 'struct': 'Ss', 'data': { 'a': 'int', '*a': 'int' } }", 1, 'collides'],
  ['types of members exist', "{ 'struct': 'Ss', 'data': { 'a': 'Tt' } }", 1, "unknown type 'Tt'"],
  ['commands are no types', "{ 'command': 'go' }\n{ 'struct': 'Ss', 'data': { 'a': 'go' } }", 2, "unknown type 'go'"],
  ['types in arrays exist', "{ 'struct': 'Ss', 'data': { 'a': [ 'Tt' ] } }", 1, "unknown type 'Tt'"],
  ['a base is named', "{ 'struct': 'Ss', 'base': { 'a': 'int' }, 'data': {} }", 1, 'should be the name of a type'],
  ['a base exists', "{ 'struct': 'Ss', 'base': 'Tt', 'data': {} }", 1, "unknown type 'Tt'"],
  ['a base is a struct', `${TWO}\n{ 'struct': 'Ss', 'base': 'Two', 'data': {} }`, 2, "enum type 'Two'"],
  ['a base is not itself', "{ 'struct': 'Ss', 'base': 'Ss', 'data': {} }", 1, 'contains itself'],
  [
    'members differ from the base',
    `${PART}\n{ 'struct': 'Ss', 'base': 'Part', 'data': { 'size': 'int' } }`,
    2,
    'collides',
  ],
];

const unions: Broken[] = [
  ['there is a base', "{ 'union': 'Uu', 'discriminator': 't', 'data': {} }", 1, "has no 'base'"],
  ['there is a discriminator', "{ 'union': 'Uu', 'base': {}, 'data': {} }", 1, "has no 'discriminator'"],
  ['the discriminator is a string', union("'discriminator': []", "{ 't': 'Two' }"), 3, 'should be a string'],
  ['data is an object', `{ 'union': 'Uu', 'base': {}, 'discriminator': 't', 'data': [] }`, 1, 'should be an object'],
  [
    'branches name a type',
    union("'discriminator': 't'", "{ 't': 'Two' }", "{ 'one': [ 'Part' ] }"),
    3,
    'name of a type',
  ],
  ['branch types exist', union("'discriminator': 't'", "{ 't': 'Two' }", "{ 'one': 'Zz' }"), 3, "unknown type 'Zz'"],
  ['branches are objects', union("'discriminator': 't'", "{ 't': 'Two' }", "{ 'one': 'int' }"), 3, "can't be built-in"],
  ['branches are values', union("'discriminator': 't'", "{ 't': 'Two' }", "{ 'six': 'Part' }"), 3, 'is not a value of'],
  ['the tag is in the base', union("'discriminator': 'x'", "{ 't': 'Two' }"), 3, "not a member of 'base'"],
  ['the tag is an enum', union("'discriminator': 't'", "{ 't': 'str' }"), 3, 'of an enum type'],
  ['the tag is not optional', union("'discriminator': 't'", "{ '*t': 'Two' }"), 3, 'not be optional'],
  ['the tag is always there', union("'discriminator': 't'", "{ 't': { 'type': 'Two', 'if': 'X' } }"), 3, 'conditional'],
  ['members differ', union("'discriminator': 't'", "{ 't': 'Two', 'size': 'int' }"), 3, "'size' of 'Part' collides"],
  [
    'members of inner unions differ',
    `${union("'discriminator': 't'", "{ 't': 'Two' }")}
     { 'union': 'Vv', 'base': { 'v': 'Two', 'size': 'int' }, 'discriminator': 'v', 'data': { 'one': 'Uu' } }`,
    4,
    "'size' of 'Part' collides",
  ],
  [
    'a union is no base',
    `${union("'discriminator': 't'", "{ 't': 'Two' }")}\n{ 'struct': 'Ss', 'base': 'Uu', 'data': {} }`,
    4,
    'union',
  ],
  [
    'there are branches',
    `{ 'enum': 'No', 'data': [] }\n{ 'union': 'Uu', 'base': { 't': 'No' }, 'discriminator': 't', 'data': {} }`,
    2,
    'no branches',
  ],
];

const alternates: Broken[] = [
  ['data is an object', "{ 'alternate': 'Aa', 'data': [ 'int' ] }", 1, 'should be an object'],
  ['there are branches', "{ 'alternate': 'Aa', 'data': {} }", 1, 'is empty'],
  ['branches are lower case', "{ 'alternate': 'Aa', 'data': { 'a_b': 'int' } }", 1, 'must be lower case'],
  ['branch types exist', "{ 'alternate': 'Aa', 'data': { 'a': 'Tt' } }", 1, "unknown type 'Tt'"],
  ['any fits all', "{ 'alternate': 'Aa', 'data': { 'a': 'any' } }", 1, "can't be built-in type 'any'"],
  ['alternates do not nest', "{ 'alternate': 'Aa', 'data': { 'a': 'Aa' } }", 1, "can't be alternate"],
  [
    'two numbers',
    "{ 'alternate': 'Aa', 'data': { 'a': 'int', 'b': 'number' } }",
    1,
    "'a' and 'b' cannot be distinguished",
  ],
  ['two objects', `${PART}\n{ 'alternate': 'Aa', 'data': { 'a': 'Part', 'b': 'Part' } }`, 2, 'cannot be distinguished'],
  ['two arrays', "{ 'alternate': 'Aa', 'data': { 'a': [ 'int' ], 'b': [ 'str' ] } }", 1, 'cannot be distinguished'],
  [
    'a string could be a boolean',
    "{ 'alternate': 'Aa', 'data': { 'a': 'str', 'b': 'bool' } }",
    1,
    'cannot be distinguished',
  ],
  [
    'an enum with on',
    "{ 'enum': 'Ee', 'data': [ 'on' ] }\n{ 'alternate': 'Aa', 'data': { 'a': 'Ee', 'b': 'bool' } }",
    2,
    'cannot be distinguished',
  ],
  [
    'an enum with 1',
    "{ 'enum': 'Ee', 'data': [ '1' ] }\n{ 'alternate': 'Aa', 'data': { 'a': 'int', 'b': 'Ee' } }",
    2,
    'cannot be distinguished',
  ],
];

const commandsAndEvents: Broken[] = [
  ['data is an object or type', "{ 'command': 'a', 'data': [ 'int' ] }", 1, 'object or the name of a type'],
  ['data exists', "{ 'event': 'EE', 'data': 'Tt' }", 1, "'data' uses the unknown type 'Tt'"],
  ['data is of an object type', `${TWO}\n{ 'command': 'a', 'data': 'Two' }`, 2, "'data' can't be enum type"],
  [
    'a union needs boxed',
    `${union("'discriminator': 't'", "{ 't': 'Two' }")}\n{ 'command': 'a', 'data': 'Uu' }`,
    4,
    "'boxed'",
  ],
  ['boxed needs data', "{ 'event': 'EE', 'boxed': true }", 1, "'boxed' needs 'data'"],
  ['boxed needs a type', "{ 'command': 'a', 'boxed': true, 'data': { 'a': 'int' } }", 1, 'the name of a type'],
  ['conditional members need boxed', "{ 'event': 'EE', 'data': { 'a': { 'type': 'int', 'if': 'X' } } }", 1, "'boxed'"],
  ['boxed is true', "{ 'command': 'a', 'boxed': false, 'data': {} }", 1, "'boxed' can only be true"],
  ['gen is false', "{ 'command': 'a', 'gen': true }", 1, "'gen' can only be false"],
  ['flags are booleans', "{ 'command': 'a', 'allow-preconfig': 'yes' }", 1, 'can only be true'],
  ['coroutines are not oob', "{ 'command': 'a', 'allow-oob': true, 'coroutine': true }", 1, 'exclude each other'],
  ['events have no flags', "{ 'event': 'EE', 'gen': false }", 1, "unknown key 'gen'"],
  ['returns names a type', "{ 'command': 'a', 'returns': { 'a': 'int' } }", 1, 'the name of a type'],
  ['returns exists', "{ 'command': 'a', 'returns': [ 'Tt' ] }", 1, "unknown type 'Tt'"],
  ['returns is an object', "{ 'command': 'a', 'returns': 'int' }", 1, "'returns' can't be built-in type 'int'"],
  ['returns is an array of objects', "{ 'command': 'a', 'returns': [ 'str' ] }", 1, "array type ['str']"],
  [
    'arguments have no exceptions',
    "{ 'pragma': { 'member-name-exceptions': [ 'a' ] } }\n{ 'command': 'a', 'data': { 'B': 'int' } }",
    2,
    'lower case',
  ],
];

describe.each([
  ['syntax', syntax],
  ['directives', directives],
  ['definitions', definitions],
  ['conditions', conditions],
  ['features', features],
  ['enums', enums],
  ['structs', structs],
  ['unions', unions],
  ['alternates', alternates],
  ['commands and events', commandsAndEvents],
])('%s', (_, cases) => {
  it.each(cases)('%s', (rule, text, line, says) => {
    const error = errorOf(text);
    expect([error.file, error.line]).toEqual(['test.json', line]);
    expect(error.problem.includes(says) || error.message.includes(says), `${rule}: ${error.message}`).toBe(true);
  });
});
