import type { SchemaTypes } from '@qmp-gateway/client';
import {
  membersOf,
  objectOf,
  typeOf,
  valuesOf,
  type MemberModel,
  type ObjectModel,
  type ServerModel,
} from '../arguments/schema-model.js';

/** Something that may come next. `isWhole`: a space follows it. */
export interface Candidate {
  readonly text: string;
  readonly isWhole: boolean;
  readonly about?: string;
}

/** Asks for values that no model lists: devices, nodes, jobs. */
export type ValueSource = (command: string, key: string) => Promise<readonly string[]>;

const noValues: ValueSource = () => Promise.resolve([]);

/** Commands of a model that begin so. */
export function commandCandidates({ commands }: ServerModel, begun: string): Candidate[] {
  return commands
    .filter(({ name, offered }) => name.startsWith(begun) && offered !== false)
    .map(({ name, summary }) => ({ text: name, isWhole: true, ...(summary === null ? {} : { about: summary }) }));
}

/**
 * What may follow for the last word of `command key=value …`: keys, nested ones after a dot, or values after `=`.
 * @param words that stand before it
 * @param begun the last word as far as it is typed
 */
export async function argumentCandidates(
  model: ServerModel,
  command: string,
  { words, begun }: { readonly words: readonly string[]; readonly begun: string },
  source: ValueSource = noValues,
): Promise<Candidate[]> {
  const known = model.commands.find(({ name }) => name === command);
  const object = known === undefined ? undefined : objectOf(model.types, known.arguments);
  if (object === undefined) return [];
  const given = new Map(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
  const at = begun.indexOf('=');
  if (at === -1) return keyCandidates(model.types, object, { given, begun, above: '' });
  const key = begun.slice(0, at);
  if (key.endsWith(':')) return [];
  const member = memberAt(model.types, object, { given, key, above: '' });
  const values = member === undefined ? [] : valuesOf(model.types, member.type);
  const all = values.length > 0 ? values : await source(command, key);
  const start = begun.slice(at + 1);
  return all.filter((value) => value.startsWith(start)).map((value) => ({ text: `${key}=${value}`, isWhole: true }));
}

interface Position {
  readonly given: ReadonlyMap<string, string>;
  /** The keys above, each with its dot. */
  readonly above: string;
}

const membersHere = (types: SchemaTypes, object: ObjectModel, { given, above }: Position): readonly MemberModel[] =>
  membersOf(types, object, (tag) => given.get(above + tag));

function keyCandidates(
  types: SchemaTypes,
  object: ObjectModel,
  position: Position & { readonly begun: string },
): Candidate[] {
  const { begun, above, given } = position;
  const members = membersHere(types, object, position);
  // The longest name that the word goes on from after a dot.
  const outer = members
    .filter(({ name }) => begun.startsWith(`${above}${name}.`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  const below = outer === undefined ? undefined : objectOf(types, outer.type);
  if (outer !== undefined && below !== undefined)
    return keyCandidates(types, below, { ...position, above: `${above}${outer.name}.` });
  const required = (member: MemberModel): number => Number(member.optional);
  return [...members]
    .sort((a, b) => required(a) - required(b))
    .filter(({ name }) => `${above}${name}`.startsWith(begun) && !given.has(`${above}${name}`))
    .flatMap(({ name, type, optional }) => {
      const about = `${type}${optional ? '' : ', required'}`;
      const hasMembers = objectOf(types, type) !== undefined;
      // A whole object is written as JSON, which nothing can be offered for.
      const isOneWord = typeOf(types, type).kind !== 'object';
      return [
        ...(hasMembers ? [{ text: `${above}${name}.`, isWhole: false, about }] : []),
        ...(isOneWord ? [{ text: `${above}${name}=`, isWhole: false, about }] : []),
      ];
    });
}

function memberAt(
  types: SchemaTypes,
  object: ObjectModel,
  position: Position & { readonly key: string },
): MemberModel | undefined {
  const { key, above } = position;
  const rest = key.slice(above.length);
  const members = membersHere(types, object, position);
  const whole = members.find(({ name }) => name === rest);
  if (whole !== undefined) return whole;
  const outer = members.find(({ name }) => rest.startsWith(`${name}.`));
  const below = outer === undefined ? undefined : objectOf(types, outer.type);
  return outer === undefined || below === undefined
    ? undefined
    : memberAt(types, below, { ...position, above: `${above}${outer.name}.` });
}
