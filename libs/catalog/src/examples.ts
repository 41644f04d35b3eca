import { readFileSync } from 'node:fs';
import type { ServerKind } from './server-kinds.js';
import { dataFile } from './data-file.js';

/** One exchange: the `arguments` object and the `return` value. */
export interface CommandExample {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly returns: unknown;
}

type Examples = Partial<Record<ServerKind, Readonly<Record<string, CommandExample>>>>;

let loaded: Examples | undefined;

/** An invented request and its reply, for the most used commands; undefined for the others. */
export function exampleOf(kind: ServerKind, command: string): CommandExample | undefined {
  loaded ??= JSON.parse(readFileSync(dataFile('examples.json'), 'utf8')) as Examples;
  const examples = loaded[kind] ?? {};
  return Object.hasOwn(examples, command) ? examples[command] : undefined;
}

/** Commands of a kind that have an example. */
export function commandsWithExamples(kind: ServerKind): readonly string[] {
  exampleOf(kind, '');
  return Object.keys(loaded?.[kind] ?? {});
}
