import type { Command, Event, QapiModel, QapiType } from '../model.js';
import { relativePath } from './schema-files.js';
import type { SchemaSymbol } from './symbols.js';

/** An entity of a module, or an include in it. */
export type ModuleEntity = QapiType | Command | Event | { readonly kind: 'include'; readonly file: string };

/** A schema file and its definitions, in QEMU's order: implied entities precede the definition that implies them. */
export interface SchemaModule {
  /** Path relative to the directory of the schema's first file; `./builtin` for built-in entities. */
  readonly file: string;
  readonly entities: readonly ModuleEntity[];
}

/** What a line of the source creates: symbols, or an include of another file. */
export type SourceYield =
  | { readonly file: string; readonly symbols: readonly SchemaSymbol[] }
  | { readonly file: string; readonly includes: string };

/**
 * The modules of a schema in order of first mention. An array belongs to the module of its element; built-in types and
 * arrays of them are left out.
 * @param start - path of the first file
 * @param builtIn - symbols without source
 */
export function modulesOf(
  start: string,
  builtIn: Iterable<SchemaSymbol>,
  yields: readonly SourceYield[],
  model: QapiModel,
): SchemaModule[] {
  const modules = new Map<string, ModuleEntity[]>();
  const fileOf = new Map<string, string>();
  const module = (file: string): ModuleEntity[] => {
    let entities = modules.get(file);
    if (entities === undefined) modules.set(file, (entities = []));
    return entities;
  };

  for (const symbol of builtIn) {
    fileOf.set(symbol.name, BUILTIN);
    if (symbol.kind === 'object' || symbol.kind === 'enum') module(BUILTIN).push(symbol.type);
  }
  module(relativePath(start, start));
  for (const item of yields) {
    const file = relativePath(start, item.file);
    if ('includes' in item) module(relativePath(start, item.includes));
    else for (const { name } of item.symbols) fileOf.set(name, file);
  }
  for (const item of yields) {
    const file = relativePath(start, item.file);
    if ('includes' in item) {
      module(file).push({ kind: 'include', file: relativePath(start, item.includes) });
      continue;
    }
    for (const symbol of item.symbols) {
      module(symbol.kind === 'array' ? (fileOf.get(symbol.elementName) ?? file) : file).push(entityOf(symbol, model));
    }
  }
  return [...modules].map(([file, entities]) => ({ file, entities }));
}

const BUILTIN = './builtin';

function entityOf(symbol: SchemaSymbol, model: QapiModel): ModuleEntity {
  const entity =
    symbol.kind === 'command'
      ? model.commands.get(symbol.name)
      : symbol.kind === 'event'
        ? model.events.get(symbol.name)
        : symbol.type;
  if (entity === undefined) throw new TypeError(`${symbol.kind} '${symbol.name}' is not in the model`);
  return entity;
}
