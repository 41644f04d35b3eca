import { describe, expect, it } from 'vitest';
import { type CompiledSchema, compileSchema } from './compile-schema.js';
import { QapiSchemaError } from './position.js';
import type { SchemaFiles } from './schema-files.js';

/** A disk of a few files, which remembers what was read. */
class MemoryFiles implements SchemaFiles {
  readonly reads: string[] = [];
  constructor(private readonly texts: Record<string, string>) {}

  read(path: string): string {
    this.reads.push(path);
    const text = this.texts[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  }
}

function compile(texts: Record<string, string>, path = 'main.json'): CompiledSchema & { reads: string[] } {
  const files = new MemoryFiles(texts);
  return { ...compileSchema(path, files), reads: files.reads };
}

function errorOf(texts: Record<string, string>, path?: string): QapiSchemaError {
  try {
    compile(texts, path);
  } catch (error) {
    if (error instanceof QapiSchemaError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('include', () => {
  it('is resolved against the file it stands in, and read once', () => {
    const { reads, modules } = compile(
      {
        '/s/a/main.json': "{ 'include': '../b/one.json' }\n{ 'include': './two.json' }",
        '/s/b/one.json': "{ 'include': '../a/two.json' }\n{ 'event': 'ONE' }",
        '/s/a/two.json': "{ 'event': 'TWO' }",
      },
      '/s/a/main.json',
    );
    expect(reads).toEqual(['/s/a/main.json', '/s/b/one.json', '/s/a/two.json']);
    expect(modules.map(({ file }) => file)).toEqual(['./builtin', 'main.json', '../b/one.json', 'two.json']);
    expect(modules[2]!.entities.map((entity) => ('name' in entity ? entity.name : entity.file))).toEqual([
      'two.json',
      'ONE',
    ]);
  });

  it('names the module of what it brings in', () => {
    const { model } = compile({
      'main.json': "{ 'include': 'sub/part.json' }\n{ 'struct': 'Ss', 'data': { 'a': [ 'Part' ] } }",
      'sub/part.json': "{ 'struct': 'Part', 'data': {} }",
    });
    expect(model.types.get('Part')).toMatchObject({ module: 'part' });
    expect(model.types.get('Ss')).toMatchObject({ module: 'main' });
  });

  it('puts an array into the module of its element', () => {
    const { modules } = compile({
      'main.json': "{ 'struct': 'Ss', 'data': { 'a': [ 'Part' ] } }\n{ 'include': 'part.json' }",
      'part.json': "{ 'struct': 'Part', 'data': {} }",
    });
    expect(modules[2]!.entities.map((entity) => ('name' in entity ? entity.name : ''))).toEqual(['PartList', 'Part']);
  });

  it('carries pragmas both ways', () => {
    const texts = {
      'main.json': "{ 'include': 'pragma.json' }\n{ 'command': 'a_b' }",
      'pragma.json': "{ 'pragma': { 'command-name-exceptions': [ 'a_b' ] } }",
    };
    expect(compile(texts).model.commands.has('a_b')).toBe(true);
  });
});

describe('an error', () => {
  it('names file and line, with the includes that lead there', () => {
    const error = errorOf({
      'main.json': "\n{ 'include': 'a.json' }",
      'a.json': "\n\n{ 'include': 'b.json' }",
      'b.json': "{ 'command': 'go', 'data': 'Nowhere' }",
    });
    expect(error.message.split('\n')).toEqual([
      'In file included from main.json:2:',
      'In file included from a.json:3:',
      "b.json:1: in command 'go': 'data' uses the unknown type 'Nowhere'",
    ]);
    expect(error).toMatchObject({ file: 'b.json', line: 1, definition: "command 'go'" });
  });

  it.each([
    ['of a file that includes itself', { 'main.json': "{ 'include': 'main.json' }" }, 'main.json', 1],
    [
      'of a ring of includes',
      { 'main.json': "{ 'include': 'a.json' }", 'a.json': "\n{ 'include': 'x/../main.json' }" },
      'a.json',
      2,
    ],
    ['of a missing include', { 'main.json': "\n{ 'include': 'a.json' }" }, 'main.json', 2],
    ['of a missing include, behind what is wrong here', { 'main.json': "{ 'include': 'a.json' }\n{" }, 'main.json', 2],
    ['of a missing schema', {}, 'main.json', 1],
  ])('%s', (_, texts: Record<string, string>, file, line) => {
    expect(errorOf(texts)).toMatchObject({ file, line });
  });

  it('ends a chain of includes without end', () => {
    const files: SchemaFiles = { read: (path) => `{ 'include': 'x${path}' }` };
    expect(() => compileSchema('a.json', files)).toThrow(/nested deeper than 50 files/);
  });
});
