import {
  type CatalogMeta,
  type ServerKind,
  catalogFormat,
  commandKnowledge,
  encodeCatalog,
  eventSummary,
  kindOfSchema,
  serverKinds,
} from '@qmp-gateway/catalog';
import { type CompiledSchema, type QapiModel, docSummary, docText } from '@qmp-gateway/qapi';

export interface CatalogOptions {
  readonly name?: string;
  /** Release, `major.minor[.micro]`. */
  readonly version?: string;
  readonly kind?: ServerKind;
  /** Keep the schema's own documentation. */
  readonly withDocs?: boolean;
}

/**
 * The catalog file of a compiled schema. What the options leave open is taken from the schema: the kind of server from
 * its commands, the release from the newest `Since:`.
 *
 * @throws Error when the release is neither given nor named in the schema
 */
export function catalogOf(compiled: CompiledSchema, options: CatalogOptions): string {
  const { docs } = compiled;
  const kind = options.kind ?? kindOfSchema(compiled.model.commands);
  const version = options.version ?? newestSince(compiled.model);
  if (version === undefined) throw new Error("the schema's documentation names no release: give it with --version");
  const name = options.name ?? serverKinds[kind].product;
  const meta: CatalogMeta = {
    format: catalogFormat,
    name,
    version,
    kind,
    greeting: { version: /^\d+\.\d+$/.test(version) ? `${version}.0` : version },
  };
  if (options.withDocs !== true) return encodeCatalog(compiled.model, meta);
  const texts = new Map([...docs].map(([of, doc]) => [of, docText(doc)]));
  return encodeCatalog(withSummaries(compiled, kind), meta, { docs: texts });
}

function newestSince({ commands, events }: QapiModel): string | undefined {
  return [...commands.values(), ...events.values()]
    .flatMap(({ since }) => (since !== undefined && /^\d+\.\d+(\.\d+)?$/.test(since) ? [since] : []))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/** The model with the schema's own summaries for what our tables have none for. */
function withSummaries({ model, docs }: CompiledSchema, kind: ServerKind): QapiModel {
  const summarize = <Entity extends { readonly name: string }>(
    entities: ReadonlyMap<string, Entity>,
    own: (name: string) => string | undefined,
  ): Map<string, Entity> =>
    new Map(
      [...entities].map(([name, entity]) => {
        const doc = docs.get(name);
        const summary = own(name) ?? (doc && docSummary(doc));
        return [name, summary === undefined ? entity : { ...entity, summary }];
      }),
    );
  return {
    ...model,
    commands: summarize(model.commands, (name) => commandKnowledge(kind, name).summary),
    events: summarize(model.events, (name) => eventSummary(kind, name)),
  };
}
