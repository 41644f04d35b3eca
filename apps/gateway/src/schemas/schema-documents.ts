import { hash } from 'node:crypto';
import { exampleOf } from '@qmp-gateway/catalog';
import { renderVmDocument, vmDocument, type CommandDescription, type ProblemRow } from '@qmp-gateway/qapi-openapi';
import { problemCatalogue, problemCodes } from '../problems/catalogue.js';
import { renderSchema } from './schema-view.js';
import type { VmSchema } from './vm-schema.js';

/** The problems as the documents describe them. */
export const problemRows: readonly ProblemRow[] = problemCodes.map((code) => ({
  code,
  status: problemCatalogue[code].status,
  title: problemCatalogue[code].title,
}));

/** A document with the tag by which clients ask whether it changed. */
export interface TaggedDocument {
  readonly text: string;
  readonly etag: string;
}

interface SharedDocuments {
  openapi?: string;
  schema?: TaggedDocument;
}

/** The documents of schemas: made on first demand, kept as long as the schema, one for all VMs of a build. */
export class SchemaDocuments {
  readonly #shared = new WeakMap<VmSchema, SharedDocuments>();

  openapi(schema: VmSchema, vmId: string): TaggedDocument {
    const shared = this.#of(schema);
    shared.openapi ??= JSON.stringify(
      vmDocument(schema.model, { describe: (command) => describe(schema, command.name), problems: problemRows }),
    );
    return tagged(renderVmDocument(shared.openapi, vmId));
  }

  schema(schema: VmSchema): TaggedDocument {
    const shared = this.#of(schema);
    return (shared.schema ??= tagged(renderSchema(schema)));
  }

  #of(schema: VmSchema): SharedDocuments {
    let shared = this.#shared.get(schema);
    if (shared === undefined) {
      shared = {};
      this.#shared.set(schema, shared);
    }
    return shared;
  }
}

function describe(schema: VmSchema, name: string): CommandDescription {
  const command = schema.commands.get(name);
  if (command === undefined) throw new Error(`${name} is not in its own schema`);
  const { knowledge, definition } = command;
  const summary = definition.summary ?? knowledge.summary;
  const example = exampleOf(schema.origin.kind, name);
  return {
    class: command.class,
    offered: knowledge.offered,
    openArguments: knowledge.openArguments,
    ...(summary === undefined ? {} : { summary }),
    ...(example === undefined ? {} : { example }),
  };
}

function tagged(text: string): TaggedDocument {
  return { text, etag: `"${hash('sha256', text, 'base64url').slice(0, 22)}"` };
}
