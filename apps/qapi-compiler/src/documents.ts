import { type Catalog, commandKnowledge, eventSummary, exampleOf } from '@qmp-gateway/catalog';
import {
  type CommandDescription,
  type ProblemRow,
  asyncApiDocument,
  catalogDocument,
  typeScriptTypes,
} from '@qmp-gateway/qapi-openapi';
import type { Command } from '@qmp-gateway/qapi';

/** OpenAPI 3.1 of a catalog's commands, as the gateway offers them, as JSON text. */
export function openApiOf({ meta, model }: Catalog, problems: readonly ProblemRow[]): string {
  const title = `QMP commands of ${meta.name} ${meta.version}`;
  return json(catalogDocument(model, { describe: describer(meta), problems, title, version: meta.version }));
}

/** AsyncAPI 3 of a catalog's events, as JSON text. */
export function asyncApiOf({ meta, model }: Catalog): string {
  const title = `QMP events of ${meta.name} ${meta.version}`;
  return json(
    asyncApiDocument(model, { title, version: meta.version, summary: ({ name }) => eventSummary(meta.kind, name) }),
  );
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

function describer({ kind, version }: Catalog['meta']): (command: Command) => CommandDescription {
  return ({ name, gen }) => {
    const { class: level, summary, offered, openArguments } = commandKnowledge(kind, name, version);
    const example = exampleOf(kind, name);
    return {
      class: level,
      offered,
      openArguments: openArguments || gen === false,
      ...(summary === undefined ? {} : { summary }),
      ...(example === undefined ? {} : { example }),
    };
  };
}

function json(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
