import type { JsonNode } from '@qmp-gateway/qapi';
import { lowerings, raisings, transactionActions, type Lowering, type Raising } from './argument-rules.js';
import { mismatch } from './argument-shape.js';
import type { ClassSettings } from './class-settings.js';
import { compareClasses, type CommandClass, type ServerKind } from './command-class.js';
import { commandKnowledge, isKnownCommand } from './command-knowledge.js';
import { releaseOrdinal } from './release.js';

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

/**
 * Class by name alone: what decides whether GET is answered.
 *
 * @param version release of the server, `major.minor[.micro]`; the newest when absent
 */
export function classifyByName(kind: ServerKind, command: string, settings?: ClassSettings, version?: string): Ruling {
  const base = bundledByName(kind, command, version);
  const set = settings?.get(command);
  if (set !== undefined && (!isKnownCommand(kind, command) || compareClasses(set, base.class) > 0)) {
    return { class: set, rule: 'settings', reason: `the settings make it ${set}` };
  }
  return base;
}

function bundledByName(kind: ServerKind, command: string, version: string | undefined): Ruling {
  const { class: base, reason } = commandKnowledge(kind, command);
  const raised = highest(raisingsFor(kind, command, version).filter(({ member }) => member.length === 0));
  return raised === undefined || compareClasses(raised.class, base) < 0
    ? { class: base, rule: 'base', reason }
    : rulingOf(raised);
}

/**
 * Class of a command with its arguments. Never lower than by name, but where a lowering names the exact shape of
 * harmless arguments; a class set by the operator is never lowered.
 *
 * @param args the `arguments` object as read, undefined when there is none; not validated against the schema yet
 * @param version release of the server, `major.minor[.micro]`; the newest when absent
 */
export function classifyCommand(
  kind: ServerKind,
  command: string,
  args: JsonNode | undefined,
  settings?: ClassSettings,
  version?: string,
): Ruling {
  const base = classifyByName(kind, command, settings, version);
  if (args === undefined || !isKnownCommand(kind, command)) return base;
  const applying = raisingsAbove(base, kind, command, version).filter((raising) =>
    reaches(args, raising.member, raising.value),
  );
  const raised = highest(applying);
  if (raised !== undefined) return rulingOf(raised);
  if (base.rule === 'settings') return base;
  if (isTransaction(kind, command)) return classifyTransaction(kind, args, base, settings, version);
  return lower(kind, command, args, base);
}

/** Between which classes a command is, whatever its arguments. */
export interface ClassRange {
  readonly lowest: Ruling;
  readonly highest: Ruling;
  /** The rules about arguments that can decide, each with the class it comes to; empty when the name alone does. */
  readonly byArguments: readonly Ruling[];
}

/**
 * Between which classes `classifyCommand` can put a command, read from the rules that it goes by.
 *
 * @param version as there
 */
export function classRange(kind: ServerKind, command: string, settings?: ClassSettings, version?: string): ClassRange {
  const base = classifyByName(kind, command, settings, version);
  const byArguments = isKnownCommand(kind, command) ? argumentRulings(base, kind, command, version) : [];
  const all = [base, ...byArguments];
  return {
    lowest: all.reduce((least, ruling) => (compareClasses(ruling.class, least.class) < 0 ? ruling : least)),
    highest: highest(all) ?? base,
    byArguments,
  };
}

/** What the rules about arguments can come to; `base` where none of them applies. */
function argumentRulings(base: Ruling, kind: ServerKind, command: string, version: string | undefined): Ruling[] {
  const raised = raisingsAbove(base, kind, command, version).map(rulingOf);
  if (base.rule === 'settings') return raised;
  if (isTransaction(kind, command)) return [...raised, leastTransaction, unknownAction];
  const lowering = loweringOf(kind, command);
  return lowering === undefined ? raised : [...raised, rulingOf(lowering)];
}

function rulingOf({ class: to, rule, reason }: Lowering | Raising): Ruling {
  return { class: to, rule, reason };
}

/** The highest class; of several such the first, which is the most telling. */
function highest<Of extends { readonly class: CommandClass }>(rules: readonly Of[]): Of | undefined {
  return rules.reduce<Of | undefined>(
    (most, rule) => (most === undefined || compareClasses(rule.class, most.class) > 0 ? rule : most),
    undefined,
  );
}

/** Those that hold for this server; all where its release can't be read, the newest where none is told. */
function raisingsFor(kind: ServerKind, command: string, version: string | undefined): readonly Raising[] {
  const raisings = raisingsOf.get(command);
  if (raisings === undefined) return [];
  const release = version === undefined ? Number.POSITIVE_INFINITY : releaseOrdinal(version);
  const isReadable = release > 0;
  return raisings.filter(
    ({ kinds, from, before }) =>
      (kinds === undefined || kinds.includes(kind)) &&
      (from === undefined || !isReadable || release >= releaseOrdinal(from)) &&
      (before === undefined || !isReadable || release < releaseOrdinal(before)),
  );
}

/** Those by arguments that raise the class, or tell more exactly why it is what it is. */
function raisingsAbove(
  base: Ruling,
  kind: ServerKind,
  command: string,
  version: string | undefined,
): readonly Raising[] {
  return raisingsFor(kind, command, version).filter(
    (raising) => raising.member.length > 0 && compareClasses(raising.class, base.class) >= 0,
  );
}

function reaches(node: JsonNode, path: readonly string[], value: RegExp | undefined): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return value === undefined || (node.kind === 'string' && value.test(node.value));
  if (name === '*') return node.kind === 'array' && node.items.some((item) => reaches(item, rest, value));
  return (
    node.kind === 'object' && node.members.some((member) => member.name === name && reaches(member.value, rest, value))
  );
}

function loweringOf(kind: ServerKind, command: string): Lowering | undefined {
  return loweringsOf.get(kind === 'storage-daemon' ? 'qemu' : kind)?.get(command);
}

function lower(kind: ServerKind, command: string, args: JsonNode, base: Ruling): Ruling {
  const lowering = loweringOf(kind, command);
  if (lowering === undefined) return base;
  const path = mismatch(lowering.shape, args);
  return path === undefined
    ? rulingOf(lowering)
    : { class: base.class, rule: lowering.rule, reason: `${base.reason}; ${notListed(path, lowering.class)}` };
}

/** Names the argument that kept a command from its lower class; only when it is a name, as it comes from the client. */
function notListed(path: readonly string[], lowered: CommandClass): string {
  const named = path.join('.');
  const subject = /^[\w.-]{1,64}$/.test(named) ? `'${named}' is` : 'these arguments are';
  return `${subject} not on the list for ${lowered}`;
}

function isTransaction(kind: ServerKind, command: string): boolean {
  return command === 'transaction' && kind !== 'stratovirt';
}

/** Nothing below `configure`, the class of the least of all actions. */
const leastTransaction: Ruling = { class: 'configure', rule: 'transaction', reason: 'no action needs more' };

const unknownAction: Ruling = {
  class: 'host',
  rule: 'transaction:unknown-action',
  reason: 'an action we do not know may do anything',
};

/** The highest of its actions. */
function classifyTransaction(
  kind: ServerKind,
  args: JsonNode,
  base: Ruling,
  settings: ClassSettings | undefined,
  version: string | undefined,
): Ruling {
  const actions = membersOf(args).get('actions');
  if (actions?.kind !== 'array') return base;
  const rulings = actions.items.map((action) => {
    const members = membersOf(action);
    return classifyAction(kind, members.get('type'), members.get('data'), settings, version);
  });
  return highest([leastTransaction, ...rulings]) ?? leastTransaction;
}

function classifyAction(
  kind: ServerKind,
  type: JsonNode | undefined,
  data: JsonNode | undefined,
  settings: ClassSettings | undefined,
  version: string | undefined,
): Ruling {
  if (type?.kind === 'string' && type.value === 'abort') {
    return { class: 'configure', rule: 'transaction', reason: 'makes the transaction fail' };
  }
  if (type?.kind !== 'string' || !transactionActions.has(type.value)) return unknownAction;
  const { class: actionClass, reason } = classifyCommand(kind, type.value, data, settings, version);
  return { class: actionClass, rule: `transaction:${type.value}`, reason: `its action ${type.value}: ${reason}` };
}

function membersOf(node: JsonNode): ReadonlyMap<string, JsonNode> {
  return new Map(node.kind === 'object' ? node.members.map(({ name, value }) => [name, value]) : []);
}
