import type { JsonNode } from '@qmp-gateway/qapi';
import { lowerings, raisings, transactionActions, type Lowering, type Raising } from './argument-rules.js';
import { mismatch } from './argument-shape.js';
import type { ClassSettings } from './class-settings.js';
import { compareClasses, type CommandClass, type ServerKind } from './command-class.js';
import { commandKnowledge, isKnownCommand } from './command-knowledge.js';

/** What class a command is with these arguments, and which rule says so. */
export interface Ruling {
  readonly class: CommandClass;
  /** Stable id: `base` (by name alone), `settings` (`commandClasses:`), or that of an argument rule. */
  readonly rule: string;
  readonly reason: string;
}

const loweringsOf = new Map<ServerKind, ReadonlyMap<string, Lowering>>(
  [...new Set(lowerings.map(({ kind }) => kind))].map((kind) => [
    kind,
    new Map(
      lowerings.filter((entry) => entry.kind === kind).flatMap((entry) => entry.commands.map((of) => [of, entry])),
    ),
  ]),
);
const raisingsOf = new Map<string, Raising[]>();
for (const raising of raisings) {
  for (const command of raising.commands) raisingsOf.set(command, [...(raisingsOf.get(command) ?? []), raising]);
}

/** Class by name alone: what decides whether GET is answered. */
export function classifyByName(kind: ServerKind, command: string, settings?: ClassSettings): Ruling {
  const { class: base, reason } = commandKnowledge(kind, command);
  const set = settings?.get(command);
  if (set !== undefined && (!isKnownCommand(kind, command) || compareClasses(set, base) > 0)) {
    return { class: set, rule: 'settings', reason: `the settings make it ${set}` };
  }
  return { class: base, rule: 'base', reason };
}

/**
 * Class of a command with its arguments. Never lower than by name, but where a lowering names the exact shape of
 * harmless arguments; a class set by the operator is never lowered.
 *
 * @param args the `arguments` object as read, undefined when there is none; not validated against the schema yet
 */
export function classifyCommand(
  kind: ServerKind,
  command: string,
  args: JsonNode | undefined,
  settings?: ClassSettings,
): Ruling {
  const base = classifyByName(kind, command, settings);
  if (args === undefined || !isKnownCommand(kind, command)) return base;
  const raised = raise(command, args, base);
  if (base.rule === 'settings' || raised !== base) return raised;
  if (command === 'transaction' && kind !== 'stratovirt') return classifyTransaction(kind, args, base, settings);
  return lower(kind, command, args, base);
}

function raise(command: string, args: JsonNode, base: Ruling): Ruling {
  const applying = raisingsOf
    .get(command)
    ?.find((raising) => compareClasses(raising.class, base.class) >= 0 && reaches(args, raising.member, raising.value));
  return applying === undefined ? base : { class: applying.class, rule: applying.rule, reason: applying.reason };
}

function reaches(node: JsonNode, path: readonly string[], value: RegExp | undefined): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return value === undefined || (node.kind === 'string' && value.test(node.value));
  if (name === '*') return node.kind === 'array' && node.items.some((item) => reaches(item, rest, value));
  return (
    node.kind === 'object' && node.members.some((member) => member.name === name && reaches(member.value, rest, value))
  );
}

function lower(kind: ServerKind, command: string, args: JsonNode, base: Ruling): Ruling {
  const lowering = loweringsOf.get(kind === 'storage-daemon' ? 'qemu' : kind)?.get(command);
  if (lowering === undefined) return base;
  const path = mismatch(lowering.shape, args);
  return path === undefined
    ? { class: lowering.class, rule: lowering.rule, reason: lowering.reason }
    : { class: base.class, rule: lowering.rule, reason: `${base.reason}; ${notListed(path, lowering.class)}` };
}

/** Names the argument that kept a command from its lower class; only when it is a name, as it comes from the client. */
function notListed(path: readonly string[], lowered: CommandClass): string {
  const named = path.join('.');
  const subject = /^[\w.-]{1,64}$/.test(named) ? `'${named}' is` : 'these arguments are';
  return `${subject} not on the list for ${lowered}`;
}

/** The highest of its actions. Nothing below `configure`, the class of the least of them. */
function classifyTransaction(kind: ServerKind, args: JsonNode, base: Ruling, settings?: ClassSettings): Ruling {
  const actions = membersOf(args).get('actions');
  if (actions?.kind !== 'array') return base;
  let highest: Ruling = { class: 'configure', rule: 'transaction', reason: 'no action needs more' };
  for (const action of actions.items) {
    const members = membersOf(action);
    const ruling = classifyAction(kind, members.get('type'), members.get('data'), settings);
    if (compareClasses(ruling.class, highest.class) > 0) highest = ruling;
  }
  return highest;
}

function classifyAction(
  kind: ServerKind,
  type: JsonNode | undefined,
  data: JsonNode | undefined,
  settings?: ClassSettings,
): Ruling {
  if (type?.kind === 'string' && type.value === 'abort') {
    return { class: 'configure', rule: 'transaction', reason: 'makes the transaction fail' };
  }
  if (type?.kind !== 'string' || !transactionActions.has(type.value)) {
    return { class: 'host', rule: 'transaction:unknown-action', reason: 'an action we do not know may do anything' };
  }
  const { class: actionClass, reason } = classifyCommand(kind, type.value, data, settings);
  return { class: actionClass, rule: `transaction:${type.value}`, reason: `its action ${type.value}: ${reason}` };
}

function membersOf(node: JsonNode): ReadonlyMap<string, JsonNode> {
  return new Map(node.kind === 'object' ? node.members.map(({ name, value }) => [name, value]) : []);
}
