/** Examples for models of other releases than the one they were written for. */
import { isRecord, type ObjectType, type QapiType } from '@qmp-gateway/qapi';

/**
 * What of an example a type knows: without members of newer releases.
 * @returns undefined when the rest is no value of the type
 */
export function fittingExample(type: QapiType, example: unknown): unknown {
  switch (type.kind) {
    case 'builtin':
      return example;
    case 'enum':
      return type.values.some(({ name }) => name === example) ? example : undefined;
    case 'alternate':
      return type.branches.map((branch) => fittingExample(branch.type, example)).find((each) => each !== undefined);
    case 'array':
      return Array.isArray(example) ? fittingList(type.element, example) : undefined;
    case 'object':
      return isRecord(example) ? fittingObject(type, example) : undefined;
  }
}

function fittingList(element: QapiType, list: readonly unknown[]): unknown {
  const fitting = list.map((each) => fittingExample(element, each));
  return fitting.includes(undefined) ? undefined : fitting;
}

function fittingObject(type: ObjectType, example: Readonly<Record<string, unknown>>): unknown {
  const members = new Map(membersFor(type, example).map((member) => [member.name, member]));
  const fitting: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(example)) {
    const member = members.get(name);
    if (member === undefined) continue;
    const value = fittingExample(member.type, given);
    if (value === undefined) return undefined;
    fitting[name] = value;
  }
  const missing = [...members.values()].some(({ name, optional }) => !optional && !Object.hasOwn(fitting, name));
  return missing ? undefined : fitting;
}

/** Those of the branch that its tag selects, too. */
function membersFor(type: ObjectType, example: Readonly<Record<string, unknown>>): ObjectType['members'] {
  const { members, variants } = type;
  const branch = variants?.cases.find((each) => each.case === example[variants.tag]);
  return branch === undefined ? members : [...members, ...membersFor(branch.type, example)];
}
