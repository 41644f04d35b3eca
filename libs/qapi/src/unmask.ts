import type {
  AlternateBranch,
  ArrayType,
  Command,
  Event,
  Member,
  ObjectType,
  QapiModel,
  QapiType,
  Variant,
} from './model.js';
import { uniqueNames } from './path-names.js';
import { jsonKind, pairTypes, type NamedType } from './type-pairs.js';

/**
 * The live model with what introspection hides, taken from a catalog where the two agree (see `pairTypes`): type names,
 * integer widths, modules, summaries, `since` and how a command is called. What the VM accepts stays as the VM says:
 * members, optional flags, enum values, cases and features never come from the catalog.
 *
 * If two live types match one of the catalog, the first gets the name; names stay unique.
 *
 * @param catalog of the nearest release; it may lack commands and have others.
 */
export function unmask(live: QapiModel, catalog: QapiModel): QapiModel {
  return new Unmasking(live, catalog).model();
}

/** Like the builder for introspection: all types first, then their references, without recursion. */
class Unmasking {
  private readonly pairs: ReadonlyMap<NamedType, NamedType>;
  private readonly names: ReadonlyMap<NamedType, string>;
  private readonly renewed = new Map<NamedType, NamedType>();
  private readonly fills: (() => void)[] = [];
  private readonly types = new Map<string, QapiType>();

  constructor(
    private readonly live: QapiModel,
    private readonly catalog: QapiModel,
  ) {
    this.pairs = pairTypes(live, catalog);
    this.names = this.chooseNames();
  }

  model(): QapiModel {
    for (const type of this.names.keys()) {
      const renewed = this.renew(type);
      this.renewed.set(type, renewed);
      this.types.set(renewed.name, renewed);
    }
    for (const fill of this.fills) fill();
    return {
      commands: new Map([...this.live.commands].map(([name, command]) => [name, this.command(command)])),
      events: new Map([...this.live.events].map(([name, event]) => [name, this.event(event)])),
      types: this.types,
    };
  }

  /** By live type, for all of them: the catalog's names first, then the others as far as they are free. */
  private chooseNames(): Map<NamedType, string> {
    const names = new Map<NamedType, string>();
    const used = new Set<string>();
    for (const [type, known] of this.pairs) {
      if (used.has(known.name)) continue;
      used.add(known.name);
      names.set(type, known.name);
    }
    const unique = uniqueNames(used);
    for (const type of this.live.types.values()) {
      if (type.kind === 'builtin' || type.kind === 'array' || names.has(type)) continue;
      names.set(type, unique(type.name));
    }
    return names;
  }

  private renew(type: NamedType): NamedType {
    const known = this.pairs.get(type);
    const name = this.names.get(type) ?? type.name;
    const isKnown = known?.name === name;
    const described = {
      name,
      features: type.features,
      ...(isKnown && known.module !== undefined && { module: known.module }),
      ...(isKnown && known.implicit !== undefined && { implicit: known.implicit }),
    };
    switch (type.kind) {
      case 'enum':
        return { ...described, kind: 'enum', values: type.values };
      case 'object':
        return {
          ...described,
          kind: 'object',
          ...this.objectParts(type, known?.kind === 'object' ? known : undefined),
        };
      case 'alternate': {
        const branches: AlternateBranch[] = [];
        const knownBranches = known?.kind === 'alternate' ? known.branches : [];
        this.fills.push(() => {
          for (const branch of type.branches) {
            const same = knownBranches.find((candidate) => jsonKind(candidate.type) === jsonKind(branch.type));
            const name = branch.name ?? same?.name;
            branches.push({ ...(name !== undefined && { name }), type: this.type(branch.type, same?.type) });
          }
        });
        return { ...described, kind: 'alternate', branches };
      }
    }
  }

  private objectParts(type: ObjectType, known: ObjectType | undefined): Pick<ObjectType, 'members' | 'variants'> {
    const members: Member[] = [];
    const cases: Variant[] = [];
    this.fills.push(() => {
      const knownTypes = new Map(known?.members.map((member) => [member.name, member.type]));
      for (const member of type.members) {
        members.push({ ...member, type: this.type(member.type, knownTypes.get(member.name)) });
      }
      for (const variant of type.variants?.cases ?? []) cases.push({ ...variant, type: this.object(variant.type) });
    });
    return { members, ...(type.variants && { variants: { tag: type.variants.tag, cases } }) };
  }

  /** `type` rebuilt; integers and lists of them get the width of `known`, the type at the same place in the catalog. */
  private type(type: QapiType, known: QapiType | undefined): QapiType {
    if (type.kind === 'builtin') {
      const width = type.json === 'int' && known?.kind === 'builtin' && known.json === 'int' ? known : type;
      this.types.set(width.name, width);
      return width;
    }
    if (type.kind !== 'array') return this.renewed.get(type) ?? type;
    const element = this.type(type.element, known?.kind === 'array' ? known.element : undefined);
    const name = `[${element.name}]`;
    const array = this.types.get(name) ?? ({ kind: 'array', name, element } satisfies ArrayType);
    this.types.set(name, array);
    return array;
  }

  private object(type: ObjectType): ObjectType {
    const renewed = this.renewed.get(type);
    return renewed?.kind === 'object' ? renewed : type;
  }

  private command(command: Command): Command {
    const known = this.catalog.commands.get(command.name);
    return {
      ...command,
      ...(known && describedBy(known, ['boxed', 'allowPreconfig', 'coroutine', 'gen', 'successResponse'])),
      ...(known && describedBy(known, ['module', 'summary', 'since'])),
      // Arguments that introspection could not describe stay open, whatever the catalog says.
      ...(command.gen === false && { gen: false }),
      arguments: this.object(command.arguments),
      returns: this.type(command.returns, known?.returns),
    };
  }

  private event(event: Event): Event {
    const known = this.catalog.events.get(event.name);
    return {
      ...event,
      ...(known && describedBy(known, ['boxed', 'module', 'summary', 'since'])),
      data: this.object(event.data),
    };
  }
}

/** The properties that have a value. */
function describedBy<T extends object, K extends keyof T>(known: T, keys: readonly K[]): Partial<Pick<T, K>> {
  const described: Partial<Pick<T, K>> = {};
  for (const key of keys) if (known[key] !== undefined) described[key] = known[key];
  return described;
}
