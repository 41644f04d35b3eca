import type { AlternateType, EnumType, ObjectType, QapiModel, QapiType } from './model.js';

/** Types with a name of their own. */
export type NamedType = EnumType | ObjectType | AlternateType;

/**
 * Maps each type of a live model to a type of the catalog, by walking both from the same commands and events, through
 * the same members and cases, breadth first. Two types match only if their structures agree: the same kind, and at
 * least half of the smaller one's members (values, branches) in the other, so that releases a few members apart still
 * match.
 *
 * If a live type matches another type of the catalog later (QEMU split it in another release), the first match stays.
 */
export function pairTypes(live: QapiModel, catalog: QapiModel): Map<NamedType, NamedType> {
  const pairs = new Map<NamedType, NamedType>();
  const queue: [QapiType, QapiType][] = [];
  for (const [name, command] of live.commands) {
    const known = catalog.commands.get(name);
    if (known) queue.push([command.arguments, known.arguments], [command.returns, known.returns]);
  }
  for (const [name, event] of live.events) {
    const known = catalog.events.get(name);
    if (known) queue.push([event.data, known.data]);
  }
  for (const [ours, theirs] of queue) {
    if (ours.kind === 'builtin' || theirs.kind === 'builtin') continue;
    if (ours.kind === 'array' || theirs.kind === 'array') {
      if (ours.kind === 'array' && theirs.kind === 'array') queue.push([ours.element, theirs.element]);
      continue;
    }
    if (pairs.has(ours) || !agree(ours, theirs)) continue;
    pairs.set(ours, theirs);
    for (const [name, type] of partsOf(ours)) {
      const known = partsOf(theirs).get(name);
      if (known) queue.push([type, known]);
    }
  }
  return pairs;
}

function agree(ours: NamedType, theirs: NamedType): boolean {
  if (ours.kind !== theirs.kind) return false;
  if (ours.kind === 'object' && theirs.kind === 'object' && ours.variants?.tag !== theirs.variants?.tag) return false;
  const our = namesOf(ours);
  const their = namesOf(theirs);
  if (our.length === 0 || their.length === 0) return our.length === their.length;
  const known = new Set(their);
  const shared = our.filter((name) => known.has(name)).length;
  return shared * 2 >= Math.min(our.length, their.length);
}

function namesOf(type: NamedType): string[] {
  if (type.kind === 'enum') return type.values.map((value) => value.name);
  if (type.kind === 'object') return type.members.map((member) => member.name);
  return type.branches.map((branch) => jsonKind(branch.type));
}

const parts = new WeakMap<NamedType, Map<string, QapiType>>();

/** The edges of a type, by a key that means the same in both models. */
function partsOf(type: NamedType): Map<string, QapiType> {
  let found = parts.get(type);
  if (!found) {
    found = new Map();
    if (type.kind === 'object') {
      for (const member of type.members) found.set(`.${member.name}`, member.type);
      for (const variant of type.variants?.cases ?? []) found.set(`=${variant.case}`, variant.type);
    } else if (type.kind === 'alternate') {
      for (const branch of type.branches) found.set(jsonKind(branch.type), branch.type);
    }
    parts.set(type, found);
  }
  return found;
}

/** The key that distinguishes the branches of an alternate. */
export function jsonKind(type: QapiType): string {
  if (type.kind === 'builtin') return type.json === 'int' ? 'number' : type.json;
  return type.kind === 'enum' ? 'string' : type.kind;
}
