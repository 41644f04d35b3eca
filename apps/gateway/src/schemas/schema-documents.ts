import { describeCommand, serverKinds } from '@qmp-gateway/catalog';
import type { Command } from '@qmp-gateway/qapi';
import {
  vmDocument,
  vmDocumentParts,
  type CommandDescription,
  type ProblemRow,
  type VmDocument,
} from '@qmp-gateway/qapi-openapi';
import { entityTag } from '../http/conditional-get.js';
import { GzipTail } from '../http/gzip-tail.js';
import { KeptDocument, type TaggedDocument } from '../http/tagged-document.js';
import { problemCatalogue, problemCodes } from '../problems/catalogue.js';
import { linkTo } from '../settings/links.js';
import { flavoured, type DocumentFlavour } from './document-flavour.js';
import { renderSchema } from './schema-view.js';
import type { VmSchema } from './vm-schema.js';

/** The problems as the documents describe them. */
export const problemRows: readonly ProblemRow[] = problemCodes.map((code) => ({
  code,
  status: problemCatalogue[code].status,
  title: problemCatalogue[code].title,
}));

const jsonType = 'application/json';

/** What the OpenAPI documents of all VMs of a build have in common. */
class SharedDocument {
  readonly #etag: string;
  #tail: GzipTail | undefined;

  constructor(private readonly text: string) {
    this.#etag = entityTag(linkTo('') + text);
  }

  of(vmId: string): TaggedDocument {
    const [head, tail] = vmDocumentParts(this.text, vmId, linkTo(''));
    return {
      contentType: jsonType,
      // The VM's id is all that differs, so it is all that the tag has to add.
      etag: `${this.#etag.slice(0, -1)}.${vmId}"`,
      plain: () => head + tail,
      gzip: () => (this.#tail ??= new GzipTail(tail)).after(head),
    };
  }
}

type SharedDocuments = Partial<Record<DocumentFlavour, SharedDocument>> & { schema?: KeptDocument };

/** The documents of schemas: made on first demand, kept as long as the schema, one for all VMs of a build. */
export class SchemaDocuments {
  readonly #shared = new WeakMap<VmSchema, SharedDocuments>();

  openapi(schema: VmSchema, vmId: string, flavour: DocumentFlavour): TaggedDocument {
    const shared = this.#of(schema);
    shared[flavour] ??= new SharedDocument(JSON.stringify(flavoured(documentOf(schema), flavour)));
    return shared[flavour].of(vmId);
  }

  schema(schema: VmSchema): KeptDocument {
    const shared = this.#of(schema);
    return (shared.schema ??= new KeptDocument(renderSchema(schema), jsonType));
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

function documentOf(schema: VmSchema): VmDocument {
  return vmDocument(schema.model, {
    describe: (command) => describe(schema, command),
    problems: problemRows,
    ...titleOf(schema),
  });
}

/** What a document describes: which server, and of which release. */
function titleOf({ origin: { kind, version } }: VmSchema): { title: string; version: string; below: 'qmp' | 'agent' } {
  const { title, path } = serverKinds[kind];
  return { title: `${path === 'qmp' ? 'QMP commands' : 'Commands'} of ${title} ${version}`, version, below: path };
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
