/**
 * The QAPI schema source language, as QEMU's docs/devel/qapi-code-gen describes it.
 *
 * One file per stage, in this order: `lexer` and `parser` (with `doc-comment`) turn the text of one file into
 * expressions, `schema-files` follows includes and pragmas, `check` turns expressions into typed definitions one by
 * one, `symbols` names everything, `build-model` resolves names and builds the model, `documentation` compares the
 * comments with it. It reads text through `SchemaFiles` and does not access the disk. It does not generate C.
 */
export { compileSchema, type CompiledSchema } from './compile-schema.js';
export { sinceOf, type DocComment, type DocSection, type DocText } from './doc-comment.js';
export { docSummary, docText } from './doc-text.js';
export type { ModuleEntity, SchemaModule } from './modules.js';
export { QapiSchemaError, type Position } from './position.js';
export type { SchemaFiles } from './schema-files.js';
