import type { JsonNode } from '@qmp-gateway/qapi';
import { asNumber, asObject, asObjects, asText, parsedJson } from '@qmp-gateway/qmp';
import { BoundedMap } from '../bounds/bounded-map.js';

/** Of one VM; of older ones it is no longer known in which session they were passed. */
const mostKept = 256;

/** What is known of a descriptor that a VM was given. */
export interface PassedDescriptor {
  /** The session it was passed in. */
  readonly epoch: string;
  /** Numbers that the VM gave to the members of a set; none of a name. */
  readonly members: readonly number[];
}

/** The descriptors that a VM was given through this gateway, by the names it knows them by: of `getfd`, and sets of `add-fd`. */
export class PassedDescriptors {
  readonly #names = new BoundedMap<string, PassedDescriptor>(mostKept);
  readonly #sets = new BoundedMap<number, PassedDescriptor>(mostKept);

  get isEmpty(): boolean {
    return this.#names.size === 0 && this.#sets.size === 0;
  }

  get names(): ReadonlyMap<string, PassedDescriptor> {
    return this.#names;
  }

  /** By the number of the set. */
  get sets(): ReadonlyMap<number, PassedDescriptor> {
    return this.#sets;
  }

  /**
   * A command about descriptors was done.
   * @param argumentsJson as it was sent
   * @param answer as the VM wrote it
   */
  done(command: string, argumentsJson: string | undefined, answer: Buffer | string, epoch: string): void {
    const sent = asObject(parsedJson(argumentsJson ?? '{}')) ?? {};
    const name = asText(sent['fdname']);
    if (command === 'getfd' && name !== undefined) replace(this.#names, name, { epoch, members: [] });
    else if (command === 'closefd' && name !== undefined) this.#names.delete(name);
    else if (command === 'add-fd') this.#added(answer, epoch);
    else if (command === 'remove-fd') this.#removed(asNumber(sent['fdset-id']), asNumber(sent['fd']));
  }

  /** A command that took these names was sent: a server has each for one use. */
  used(names: readonly string[]): void {
    for (const name of names) this.#names.delete(name);
  }

  /** The VM has no set but these. */
  onlySets(there: ReadonlySet<number>): void {
    for (const set of this.#sets.keys()) if (!there.has(set)) this.#sets.delete(set);
  }

  #added(answer: Buffer | string, epoch: string): void {
    const returned = asObject(parsedJson(answer)) ?? {};
    const set = asNumber(returned['fdset-id']);
    const member = asNumber(returned['fd']);
    if (set === undefined || member === undefined) return;
    replace(this.#sets, set, { epoch, members: [...(this.#sets.get(set)?.members ?? []), member].slice(-mostKept) });
  }

  #removed(set: number | undefined, member: number | undefined): void {
    const known = set === undefined ? undefined : this.#sets.get(set);
    if (set === undefined || known === undefined) return;
    const members = member === undefined ? [] : known.members.filter((one) => one !== member);
    if (members.length === 0) this.#sets.delete(set);
    else this.#sets.set(set, { ...known, members });
  }
}

/** Commands that {@link PassedDescriptors.done} is told of. */
export const bookkeepingCommands: ReadonlySet<string> = new Set(['getfd', 'closefd', 'add-fd', 'remove-fd']);

/** The numbers of the sets in an answer of `query-fdsets`; undefined when it cannot be read. */
export function setsIn(answer: Buffer): ReadonlySet<number> | undefined {
  const sets = asObjects(parsedJson(answer))?.map((set) => asNumber(set['fdset-id']));
  return sets === undefined ? undefined : new Set(sets.filter((set) => set !== undefined));
}

/** Members of arguments, whatever the command, whose text is the name of a descriptor, or several with colons between. */
const nameMembers: ReadonlySet<string> = new Set(['fd', 'fds', 'vhostfd', 'vhostfds', 'str']);

/** The passed descriptors that arguments speak of. */
export function descriptorsIn(
  root: JsonNode | undefined,
  passed: PassedDescriptors,
): { names: readonly string[]; sets: readonly number[] } {
  const names = new Set<string>();
  const sets = new Set<number>();
  const look = (node: JsonNode, member: string): void => {
    if (node.kind === 'object') for (const { name, value } of node.members) look(value, name);
    else if (node.kind === 'array') for (const item of node.items) look(item, member);
    else if (node.kind === 'string') {
      const set = /^\/dev\/fdset\/(\d{1,15})$/.exec(node.value)?.[1];
      if (set !== undefined && passed.sets.has(Number(set))) sets.add(Number(set));
      const named = nameMembers.has(member) ? node.value : node.value.startsWith('fd:') ? node.value.slice(3) : '';
      for (const name of named.split(':')) if (passed.names.has(name)) names.add(name);
    }
  };
  if (root !== undefined) look(root, '');
  return { names: [...names], sets: [...sets] };
}

function replace<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
}
