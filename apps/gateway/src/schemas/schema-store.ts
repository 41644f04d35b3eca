import {
  coveringCatalog,
  modelOfNamedCommands,
  nearestCatalog,
  type Catalog,
  type ClassSettings,
} from '@qmp-gateway/catalog';
import { modelFromIntrospection, unmask, type QapiModel } from '@qmp-gateway/qapi';
import { schemaHash, VmSchema, type SchemaOrigin } from './vm-schema.js';

/** Past this many builds the one longest unused is forgotten; the VMs that run it keep theirs. */
const maxSchemas = 64;

/**
 * The models of all builds seen. Reading introspection and laying a catalog over it costs tens of milliseconds and some
 * megabytes, so it is done once for each build: a thousand VMs of one QEMU share one model.
 */
export class SchemaStore {
  readonly #schemas = new Map<string, Promise<VmSchema>>();

  /**
   * @param classes the operator's own classes of commands
   * @param catalogs the operator's own, asked before the bundled ones
   */
  constructor(
    private readonly classes: ClassSettings,
    private readonly catalogs: readonly Catalog[],
  ) {}

  /**
   * The schema of a server that describes itself.
   * @param introspection the return value of `query-qmp-schema`, as bytes
   * @param listed what `query-commands` names, where that was asked: a command must be in both
   * @throws IntrospectionError when it can't be understood
   */
  fromIntrospection(origin: SchemaOrigin, introspection: Buffer, listed?: readonly string[]): Promise<VmSchema> {
    const said =
      listed === undefined ? introspection : Buffer.concat([introspection, Buffer.from([...listed].sort().join('\n'))]);
    return this.#shared(origin, schemaHash(said), async (hash) => {
      const described = modelFromIntrospection(introspection);
      const live = listed === undefined ? described : cutTo(described, new Set(listed));
      const known = await nearestCatalog(origin, this.catalogs);
      return new VmSchema(
        hash,
        origin,
        known === undefined ? live : unmask(live, known.catalog.model),
        known?.exact ?? false,
        this.classes,
      );
    });
  }

  /** The schema of a server without introspection (StratoVirt): the catalog its greeting chooses, cut to what it lists. */
  fromCommandList(origin: SchemaOrigin, commands: readonly string[]): Promise<VmSchema> {
    const names = [...commands].sort();
    return this.#shared(origin, schemaHash(names.join('\n')), async (hash) => {
      const known = await nearestCatalog(origin, this.catalogs);
      return new VmSchema(
        hash,
        origin,
        modelOfNamedCommands(known?.catalog, names),
        known?.exact ?? false,
        this.classes,
      );
    });
  }

  /**
   * The schema of a guest agent, which can't describe itself: a catalog that knows all it takes, cut to the commands it
   * has enabled. An agent newer than all catalogs may take more, so nothing undeclared is refused then.
   */
  fromEnabledCommands(origin: SchemaOrigin, commands: readonly string[]): Promise<VmSchema> {
    const names = [...commands].sort();
    return this.#shared(origin, schemaHash(names.join('\n')), async (hash) => {
      const known = await coveringCatalog(origin, this.catalogs);
      const model = modelOfNamedCommands(known?.catalog, names);
      const taken = known?.covers === false ? withOpenArguments(model) : model;
      return new VmSchema(hash, origin, taken, known?.exact ?? false, this.classes);
    });
  }

  #shared(origin: SchemaOrigin, hash: string, build: (hash: string) => Promise<VmSchema>): Promise<VmSchema> {
    const key = [origin.kind, origin.version, origin.package, hash].join('\n');
    const schema = this.#schemas.get(key) ?? build(hash);
    // Moved to the end: the map's order is the order of use.
    this.#schemas.delete(key);
    this.#schemas.set(key, schema);
    schema.catch(() => this.#schemas.delete(key));
    if (this.#schemas.size > maxSchemas) {
      for (const oldest of this.#schemas.keys()) {
        this.#schemas.delete(oldest);
        break;
      }
    }
    return schema;
  }
}

function cutTo(model: QapiModel, names: ReadonlySet<string>): QapiModel {
  return { ...model, commands: new Map([...model.commands].filter(([name]) => names.has(name))) };
}

function withOpenArguments(model: QapiModel): QapiModel {
  const commands = [...model.commands.values()].map((command) => [command.name, { ...command, gen: false }] as const);
  return { ...model, commands: new Map(commands) };
}
