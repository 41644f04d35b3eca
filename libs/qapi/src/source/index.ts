/**
 * The QAPI schema source language, as QEMU's docs/devel/qapi-code-gen describes it.
 *
 * A stage a file, in this order: `lexer` and `parser` (with `doc-comment`) make expressions of one file's text,
 * `schema-files` follows includes and pragmas, `check` makes typed definitions of expressions one by one, `symbols`
 * gives everything a name, `build-model` looks names up and makes the model, `documentation` holds the comments against it.
 * It reads text through `SchemaFiles` and touches no disk. Generated C is none of its business.
 */
export { compileSchema, type CompiledSchema } from './compile-schema.js';
export { sinceOf, type DocComment, type DocSection, type DocText } from './doc-comment.js';
export { docSummary, docText } from './doc-text.js';
export type { ModuleEntity, SchemaModule } from './modules.js';
export { QapiSchemaError, type Position } from './position.js';
export type { SchemaFiles } from './schema-files.js';
