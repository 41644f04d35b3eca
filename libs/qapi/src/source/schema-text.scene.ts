import { type CompiledSchema, compileSchema } from './compile-schema.js';
import { QapiSchemaError } from './position.js';

/** Compiles one file; the rest of the language is in the specs beside this one. */
export function compile(text: string): CompiledSchema {
  return compileSchema('test.json', { read: () => text });
}

/** The error that one file is refused with. */
export function errorOf(text: string): QapiSchemaError {
  try {
    compile(text);
  } catch (error) {
    if (error instanceof QapiSchemaError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

export const TWO = `{ 'enum': 'Two', 'data': [ 'one', 'two' ] }`;
export const PART = `{ 'struct': 'Part', 'data': { 'size': 'int' } }`;

/** A union `Uu` of `Part`, after what it uses. */
export function union(discriminator: string, base: string, data = "{ 'one': 'Part' }"): string {
  return `${TWO}\n${PART}\n{ 'union': 'Uu', 'base': ${base}, ${discriminator}, 'data': ${data} }`;
}

/** Commands with a feature of their own each, a line each. */
export function manyFeatures(count: number): string {
  return Array.from({ length: count }, (_, n) => `{ 'command': 'c${n}', 'features': [ 'f${n}' ] }`).join('\n');
}
