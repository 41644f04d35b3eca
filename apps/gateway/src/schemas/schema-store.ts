import {
  coveringCatalog,
  modelOfNamedCommands,
  nearestCatalog,
  type Catalog,
  type ClassSettings,
} from '@qmp-gateway/catalog';
import { IntrospectionError, modelFromIntrospection, unmask, type QapiModel } from '@qmp-gateway/qapi';
import { isDefinitionName, serverBounds } from '@qmp-gateway/qmp';
import { BoundedMap } from '../bounds/bounded-map.js';
import { schemaHash, VmSchema, type SchemaOrigin } from './vm-schema.js';

/** The schemas that were asked for last are held here too, so that a VM that is registered again finds its own. */
const heldSchemas = 2;

/** Failures that are remembered, so that what cannot be read is not read again. */
const rememberedFailures = 16;

/** Who asks for a schema. */
export interface SchemaBuilder {
  /** Whether a missing one may be built for it; called only if it is missing. */
  mayBuildSchema(): boolean;
}

/** A missing schema was asked for by a server that has had too many of them built. */
export class SchemaRateError extends Error {
  override readonly name = 'SchemaRateError';
}

/**
 * The models of all builds that some VM runs. Reading introspection and laying a catalog over it costs tens of milliseconds
 * and some megabytes, so it is done once for each build: a thousand VMs of one QEMU share one model.
 *
 * VMs hold their schema; here they are only found. So a VM that describes itself anew in each session holds one like any
 * other, and drives nobody else's out.
 */
export class SchemaStore {
  readonly #building = new Map<string, Promise<VmSchema>>();
  readonly #built = new Map<string, WeakRef<VmSchema>>();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#built.get(key)?.deref() === undefined) this.#built.delete(key);
  });
  /** Newest last. */
  readonly #held: VmSchema[] = [];
  readonly #failed = new BoundedMap<string, Error>(rememberedFailures);

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
   * @throws IntrospectionError when it can't be understood, IntrospectionSizeError when it is too large, SchemaRateError
   */
  fromIntrospection(
    origin: SchemaOrigin,
    introspection: Buffer,
    asker: SchemaBuilder,
    listed?: readonly string[],
  ): Promise<VmSchema> {
    const said =
      listed === undefined ? introspection : Buffer.concat([introspection, Buffer.from([...listed].sort().join('\n'))]);
    return this.#shared(origin, schemaHash(said), asker, async (hash) => {
      let leftOut = 0;
      const described = modelFromIntrospection(introspection, {
        entries: serverBounds.introspectionEntries.most,
        commands: serverBounds.commands.most,
        isName: isDefinitionName,
        memberName: serverBounds.memberName.most,
        leftOut: () => (leftOut += 1),
      });
      const live = listed === undefined ? described : cutTo(described, new Set(listed));
      const known = await nearestCatalog(origin, this.catalogs);
      // Each step takes a while; others have their turn in between.
      await nextTurn();
      const model = known === undefined ? live : unmask(live, known.catalog.model);
      await nextTurn();
      return new VmSchema(hash, origin, model, { exact: known?.exact ?? false, classes: this.classes, leftOut });
    });
  }

  /** The schema of a server without introspection (StratoVirt): the catalog its greeting chooses, cut to what it lists. */
  fromCommandList(origin: SchemaOrigin, commands: readonly string[], asker: SchemaBuilder): Promise<VmSchema> {
    const names = [...commands].sort();
    return this.#shared(origin, schemaHash(names.join('\n')), asker, async (hash) => {
      const known = await nearestCatalog(origin, this.catalogs);
      const model = modelOfNamedCommands(known?.catalog, names);
      return new VmSchema(hash, origin, model, { exact: known?.exact ?? false, classes: this.classes });
    });
  }

  /**
   * The schema of a guest agent, which can't describe itself: a catalog that knows all it takes, cut to the commands it
   * has enabled. An agent newer than all catalogs may take more, so nothing undeclared is refused then.
   */
  fromEnabledCommands(origin: SchemaOrigin, commands: readonly string[], asker: SchemaBuilder): Promise<VmSchema> {
    const names = [...commands].sort();
    return this.#shared(origin, schemaHash(names.join('\n')), asker, async (hash) => {
      const known = await coveringCatalog(origin, this.catalogs);
      const model = modelOfNamedCommands(known?.catalog, names);
      const taken = known?.covers === false ? withOpenArguments(model) : model;
      return new VmSchema(hash, origin, taken, { exact: known?.exact ?? false, classes: this.classes });
    });
  }

  async #shared(
    origin: SchemaOrigin,
    hash: string,
    asker: SchemaBuilder,
    build: (hash: string) => Promise<VmSchema>,
  ): Promise<VmSchema> {
    const key = [origin.kind, origin.version, origin.package, hash].join('\n');
    const schema = this.#built.get(key)?.deref() ?? (await this.#build(key, asker, () => build(hash)));
    if (this.#held.at(-1) === schema) return schema;
    const at = this.#held.indexOf(schema);
    if (at >= 0) this.#held.splice(at, 1);
    this.#held.push(schema);
    if (this.#held.length > heldSchemas) this.#held.shift();
    return schema;
  }

  #build(key: string, asker: SchemaBuilder, build: () => Promise<VmSchema>): Promise<VmSchema> {
    const begun = this.#building.get(key);
    if (begun !== undefined) return begun;
    const failure = this.#failed.get(key);
    if (failure !== undefined) throw failure;
    if (!asker.mayBuildSchema()) throw new SchemaRateError('it describes itself anew too often');
    const building = build()
      .then((schema) => {
        this.#built.set(key, new WeakRef(schema));
        this.#gone.register(schema, key);
        return schema;
      })
      .catch((error: unknown) => {
        if (error instanceof IntrospectionError) this.#failed.set(key, error);
        throw error;
      })
      .finally(() => this.#building.delete(key));
    this.#building.set(key, building);
    return building;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function cutTo(model: QapiModel, names: ReadonlySet<string>): QapiModel {
  return { ...model, commands: new Map([...model.commands].filter(([name]) => names.has(name))) };
}

function withOpenArguments(model: QapiModel): QapiModel {
  const commands = [...model.commands.values()].map((command) => [command.name, { ...command, gen: false }] as const);
  return { ...model, commands: new Map(commands) };
}
