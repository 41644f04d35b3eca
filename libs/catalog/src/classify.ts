import type { JsonNode } from '@qmp-gateway/qapi';
import { lowerings, raisings, transactionActions, type Lowering, type Raising } from './argument-rules.js';
import { mismatch } from './argument-shape.js';
import type { ClassSettings } from './class-settings.js';
import { compareClasses, type CommandClass } from './command-class.js';
import { serverKinds, type ServerKind } from './server-kinds.js';
import { commandKnowledge, isKnownCommand } from './command-knowledge.js';
import { releaseOrdinal } from './release.js';

/** The class of a command with given arguments, and the rule that decides it. */
export interface Ruling {
  readonly class: CommandClass;
  /** Stable id: `base` (by name alone), `settings` (`commandClasses:`), or the id of an argument rule. */
  readonly rule: string;
  readonly reason: string;
}

/** A server, as far as rules tell servers apart. */
export interface ServerRelease {
  readonly kind: ServerKind;
  /** `major.minor[.micro]`; the newest when absent. */
  readonly version?: string | undefined;
}

const loweringsOf = new Map<string, ReadonlyMap<string, Lowering>>(
  [...new Set(lowerings.map(({ family }) => family))].map((family) => [
    family,
    new Map(
      lowerings.filter((entry) => entry.family === family).flatMap((entry) => entry.commands.map((of) => [of, entry])),
    ),
  ]),
);
const noRaisings: readonly Raising[] = [];
const raisingsOf = new Map<string, Raising[]>();
for (const raising of raisings) {
  for (const command of raising.commands) raisingsOf.set(command, [...(raisingsOf.get(command) ?? []), raising]);
}

/**
 * Class by name alone, which decides whether GET is allowed.
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
  // Of most commands there are none, and this is asked for every one that runs.
  const raisings = raisingsFor(kind, command, version);
  if (raisings === noRaisings) return { class: base, rule: 'base', reason };
  const raised = highest(raisings.filter(({ member }) => member.length === 0));
  return raised === undefined || compareClasses(raised.class, base) < 0
    ? { class: base, rule: 'base', reason }
    : rulingOf(raised);
}

/**
 * Class of a command with its arguments. It is never lower than by name, except where a rule names the exact shape of
 * harmless arguments; a class set by the operator is never lowered.
 *
 * @param args the parsed `arguments` object; undefined if there is none; not validated against the schema yet
 */
export function classifyCommand(
  server: ServerRelease,
  command: string,
  args: JsonNode | undefined,
  settings?: ClassSettings,
): Ruling {
  const { kind, version } = server;
  const base = classifyByName(kind, command, settings, version);
  if (args === undefined || !isKnownCommand(kind, command)) return base;
  const raisings = raisingsAbove(base, kind, command, version);
  const raised =
    raisings === noRaisings
      ? undefined
      : highest(raisings.filter((raising) => reaches(args, raising.member, raising.value)));
  if (raised !== undefined) return rulingOf(raised);
  if (base.rule === 'settings') return base;
  if (isTransaction(command)) return classifyTransaction(server, args, base, settings);
  return lower(kind, command, args, base);
}

/** The lowest and the highest class that a command can have, over all arguments. */
export interface ClassRange {
  readonly lowest: Ruling;
  readonly highest: Ruling;
  /** The argument rules that can decide, each with its class; empty if the name alone decides. */
  readonly byArguments: readonly Ruling[];
}

/**
 * The lowest and the highest class that `classifyCommand` can return for a command, derived from its rules.
 *
 * @param version as for `classifyCommand`
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

/** The possible classes by the argument rules; `base` where none applies. */
function argumentRulings(base: Ruling, kind: ServerKind, command: string, version: string | undefined): Ruling[] {
  const raised = raisingsAbove(base, kind, command, version).map(rulingOf);
  if (base.rule === 'settings') return raised;
  if (isTransaction(command)) return [...raised, leastTransaction, unknownAction];
  const lowering = loweringOf(kind, command);
  return lowering === undefined ? raised : [...raised, rulingOf(lowering)];
}

function rulingOf({ class: to, rule, reason }: Lowering | Raising): Ruling {
  return { class: to, rule, reason };
}

/** The highest class; of several rules with it the first, which is the most informative. */
function highest<Of extends { readonly class: CommandClass }>(rules: readonly Of[]): Of | undefined {
  return rules.reduce<Of | undefined>(
    (most, rule) => (most === undefined || compareClasses(rule.class, most.class) > 0 ? rule : most),
    undefined,
  );
}

/** The rules that apply to this server; all if its release cannot be parsed, those of the newest if there is none. */
function raisingsFor(kind: ServerKind, command: string, version: string | undefined): readonly Raising[] {
  const raisings = raisingsOf.get(command);
  if (raisings === undefined) return noRaisings;
  const release = version === undefined ? Number.POSITIVE_INFINITY : releaseOrdinal(version);
  const isReadable = release > 0;
  return raisings.filter(
    ({ kinds, from, before }) =>
      (kinds === undefined || kinds.includes(kind)) &&
      (from === undefined || !isReadable || release >= releaseOrdinal(from)) &&
      (before === undefined || !isReadable || release < releaseOrdinal(before)),
  );
}

/** The argument rules that raise the class, or say more exactly why it is what it is. */
function raisingsAbove(
  base: Ruling,
  kind: ServerKind,
  command: string,
  version: string | undefined,
): readonly Raising[] {
  const raisings = raisingsFor(kind, command, version);
  if (raisings === noRaisings) return noRaisings;
  return raisings.filter((raising) => raising.member.length > 0 && compareClasses(raising.class, base.class) >= 0);
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
  return loweringsOf.get(serverKinds[kind].family)?.get(command);
}

function lower(kind: ServerKind, command: string, args: JsonNode, base: Ruling): Ruling {
  const lowering = loweringOf(kind, command);
  if (lowering === undefined) return base;
  const path = mismatch(lowering.shape, args);
  return path === undefined
    ? rulingOf(lowering)
    : { class: base.class, rule: lowering.rule, reason: `${base.reason}; ${notListed(path, lowering.class)}` };
}

/**
 * Names the argument that kept a command from its lower class; only if it is a valid name, because it comes from the
 * client.
 */
function notListed(path: readonly string[], lowered: CommandClass): string {
  const named = path.join('.');
  const subject = /^[\w.-]{1,64}$/.test(named) ? `'${named}' is` : 'these arguments are';
  return `${subject} not on the list for ${lowered}`;
}

/** Asked of commands that the server's table knows. */
function isTransaction(command: string): boolean {
  return command === 'transaction';
}

/** At least `configure`, the lowest class of all actions. */
const leastTransaction: Ruling = { class: 'configure', rule: 'transaction', reason: 'no action needs more' };

const unknownAction: Ruling = {
  class: 'host',
  rule: 'transaction:unknown-action',
  reason: 'an unknown action may do anything',
};

/** The highest class of its actions. */
function classifyTransaction(
  server: ServerRelease,
  args: JsonNode,
  base: Ruling,
  settings: ClassSettings | undefined,
): Ruling {
  const actions = membersOf(args).get('actions');
  if (actions?.kind !== 'array') return base;
  const rulings = actions.items.map((action) => {
    const members = membersOf(action);
    return classifyAction(server, members.get('type'), members.get('data'), settings);
  });
  return highest([leastTransaction, ...rulings]) ?? leastTransaction;
}

function classifyAction(
  server: ServerRelease,
  type: JsonNode | undefined,
  data: JsonNode | undefined,
  settings: ClassSettings | undefined,
): Ruling {
  if (type?.kind === 'string' && type.value === 'abort') {
    return { class: 'configure', rule: 'transaction', reason: 'makes the transaction fail' };
  }
  if (type?.kind !== 'string' || !transactionActions.has(type.value)) return unknownAction;
  const { class: actionClass, reason } = classifyCommand(server, type.value, data, settings);
  return { class: actionClass, rule: `transaction:${type.value}`, reason: `its action ${type.value}: ${reason}` };
}

function membersOf(node: JsonNode): ReadonlyMap<string, JsonNode> {
  return new Map(node.kind === 'object' ? node.members.map(({ name, value }) => [name, value]) : []);
}
