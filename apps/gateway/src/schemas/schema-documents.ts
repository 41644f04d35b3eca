import { hash } from 'node:crypto';
import { describeCommand } from '@qmp-gateway/catalog';
import type { Command } from '@qmp-gateway/qapi';
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
  openapi?: TaggedDocument;
  schema?: TaggedDocument;
}

/** The documents of schemas: made on first demand, kept as long as the schema, one for all VMs of a build. */
export class SchemaDocuments {
  readonly #shared = new WeakMap<VmSchema, SharedDocuments>();

  openapi(schema: VmSchema, vmId: string): TaggedDocument {
    const shared = this.#of(schema);
    shared.openapi ??= tagged(
      JSON.stringify(
        vmDocument(schema.model, {
          describe: (command) => describe(schema, command),
          problems: problemRows,
          below: schema.origin.kind === 'guest-agent' ? 'agent' : 'qmp',
        }),
      ),
    );
    // The VM's id is all that differs, so it is all that the tag has to add.
    const etag = `${shared.openapi.etag.slice(0, -1)}.${vmId}"`;
    return { text: renderVmDocument(shared.openapi.text, vmId), etag };
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

/** As the bundled data says, but with the class this gateway's operator gave it. */
function describe(schema: VmSchema, definition: Command): CommandDescription {
  const { kind, version } = schema.origin;
  const described = describeCommand(kind, version, definition);
  const command = schema.commands.get(definition.name);
  const summary = definition.summary ?? described.summary;
  return {
    ...described,
    ...(command === undefined
      ? {}
      : {
          class: command.class,
          lowestClass: command.lowestClass,
          highestClass: command.highestClass,
          openArguments: command.validation.openMembers === true,
        }),
    ...(summary === undefined ? {} : { summary }),
  };
}

function tagged(text: string): TaggedDocument {
  return { text, etag: `"${hash('sha256', text, 'base64url').slice(0, 22)}"` };
}
