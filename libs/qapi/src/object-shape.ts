import type { Member, ObjectType } from './model.js';

/** An object type prepared for looking members up; its union branches are shapes of their own. */
export interface ObjectShape {
  readonly type: ObjectType;
  readonly members: ReadonlyMap<string, Member>;
  readonly required: readonly Member[];
  /**
   * For a union: the name of the tag member, and the members that each tag value adds (none for values without a case).
   */
  readonly tag?: string;
  readonly cases: ReadonlyMap<string, ObjectType>;
}

/** Keyed by type, so that a shape lives as long as its model; models never change. */
const shapes = new WeakMap<ObjectType, ObjectShape>();

/** The shape of `type`, created once. */
export function shapeOf(type: ObjectType): ObjectShape {
  let shape = shapes.get(type);
  if (!shape) {
    shape = {
      type,
      members: new Map(type.members.map((member) => [member.name, member])),
      required: type.members.filter((member) => !member.optional),
      ...(type.variants && { tag: type.variants.tag }),
      cases: new Map(type.variants?.cases.map((variant) => [variant.case, variant.type])),
    };
    shapes.set(type, shape);
  }
  return shape;
}

/** The shapes whose members may occur in one object. */
export interface ChosenShapes {
  /** The type itself, then the branch that its tag selects, then (if that branch is a union) its branch, … */
  readonly shapes: readonly ObjectShape[];
  /** The last one is a union whose tag is missing or invalid, so the members that follow are not known. */
  readonly undecided: boolean;
}

/**
 * Follows the tags of a union. `tagValue` reads a member of the current object; undefined if it is missing or not a
 * string.
 */
export function chooseShapes(type: ObjectType, tagValue: (tag: string) => string | undefined): ChosenShapes {
  const first = shapeOf(type);
  const chosen = [first];
  let last = first;
  while (last.tag !== undefined) {
    const value = tagValue(last.tag);
    if (value === undefined || !isTagValue(last, value)) return { shapes: chosen, undecided: true };
    const branch = last.cases.get(value);
    // In a hostile schema a branch may lead back to its union; it adds nothing the second time.
    if (!branch || chosen.some((shape) => shape.type === branch)) break;
    last = shapeOf(branch);
    chosen.push(last);
  }
  return { shapes: chosen, undecided: false };
}

function isTagValue(shape: ObjectShape, value: string): boolean {
  const type = shape.tag === undefined ? undefined : shape.members.get(shape.tag)?.type;
  if (type?.kind !== 'enum') return shape.cases.has(value);
  return type.values.some((candidate) => candidate.name === value);
}

/** The member called `name` in any of the shapes. */
export function findMember(shapes: readonly ObjectShape[], name: string): Member | undefined {
  for (const shape of shapes) {
    const member = shape.members.get(name);
    if (member) return member;
  }
  return undefined;
}

/** Tag values of the last shape whose branches have a member called `name`. */
export function casesWithMember(shape: ObjectShape, name: string): string[] {
  const cases: string[] = [];
  for (const [value, branch] of shape.cases) if (shapeOf(branch).members.has(name)) cases.push(value);
  return cases;
}
