import type { QapiModel } from '../model.js';
import { buildModel } from './build-model.js';
import { checkDefinition } from './check.js';
import type { SourceDefinition } from './definitions.js';
import type { DocComment } from './doc-comment.js';
import { checkDocumentation } from './documentation.js';
import { checkFeatureCount } from './feature-count.js';
import { type SchemaModule, type SourceYield, modulesOf } from './modules.js';
import { type SchemaFiles, readSchemaSource } from './schema-files.js';
import { SymbolTable } from './symbols.js';

export interface CompiledSchema {
  readonly model: QapiModel;
  readonly modules: readonly SchemaModule[];
  /** The documentation of each documented definition, by name. */
  readonly docs: ReadonlyMap<string, DocComment>;
}

/**
 * Compiles QAPI schema source: reads it with everything it includes, checks each definition, resolves names. A pure
 * function of the contents of `files`, safe for any text: it returns a model or throws the error.
 *
 * @param path - the first file; includes are relative to the file that contains them
 * @throws QapiSchemaError for the first fault, with its file and line
 */
export function compileSchema(path: string, files: SchemaFiles): CompiledSchema {
  const { start, items, pragmas } = readSchemaSource(path, files);
  // Pragmas apply wherever they stand, and all definitions are checked before any name is resolved; hence the separate
  // passes.
  const checked = items.map((item) => (item.kind === 'include' ? item : checkDefinition(item, pragmas)));
  const definitions = checked.filter((item): item is SourceDefinition => item.kind !== 'include');

  const table = new SymbolTable();
  const builtIn = [...table];
  const yields = checked.map((item): SourceYield => {
    const { file } = item.position;
    return item.kind === 'include' ? { file, includes: item.path } : { file, symbols: table.declare(item) };
  });
  const model = buildModel(table, pragmas);
  for (const definition of definitions) checkDocumentation(definition, pragmas);
  checkFeatureCount(definitions);
  const docs = new Map(definitions.flatMap(({ name, doc }) => (doc === undefined ? [] : [[name, doc] as const])));
  return { model, modules: modulesOf(start, builtIn, yields, model), docs };
}
