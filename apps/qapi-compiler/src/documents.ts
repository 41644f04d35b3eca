import { type Catalog, describeCommand, serverKinds } from '@qmp-gateway/catalog';
import { type Describe, type ProblemRow, catalogDocument, typeScriptTypes } from '@qmp-gateway/qapi-openapi';

/** OpenAPI 3.1 of a catalog's commands, as the gateway offers them, as JSON text. */
export function openApiOf({ meta, model }: Catalog, problems: readonly ProblemRow[]): string {
  const title = `QMP commands of ${meta.name} ${meta.version}`;
  const below = serverKinds[meta.kind].path;
  return json(catalogDocument(model, { describe: describer(meta), problems, below, title, version: meta.version }));
}

/** TypeScript types of a catalog's commands and events. */
export function typesOf({ meta, model }: Catalog): string {
  return typeScriptTypes(model, { source: `${meta.name} ${meta.version}`, describe: describer(meta) });
}

/** Reads the rows of a gateway's catalogue of problems. @throws Error when it is something else */
export function readProblems(text: string, file: string): ProblemRow[] {
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows) || !rows.every(isProblemRow)) {
    throw new Error(`${file}: should be an array of {code, status, title}`);
  }
  return rows;
}

function isProblemRow(row: unknown): row is ProblemRow {
  if (typeof row !== 'object' || row === null) return false;
  const { code, status, title } = row as Partial<Record<keyof ProblemRow, unknown>>;
  return typeof code === 'string' && Number.isInteger(status) && typeof title === 'string';
}

function describer({ kind, version }: Catalog['meta']): Describe {
  return (command) => describeCommand(kind, version, command);
}

function json(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
