import type { JsonNode } from '@qmp-gateway/qapi';
import { asNumber, asObject, asObjects, asText, parsedJson } from '@qmp-gateway/qmp';
import { BoundedMap } from '../bounds/bounded-map.js';

/** Of one VM; of older ones it is no longer known in which session they were passed. */
const mostKept = 256;

/**
 * What became of a descriptor that a VM was given. `held`: the VM has it; `used`: a command has used its name up; `removed`:
 * closed by a command, or by another of its name; `lost`: its session ended, and the VM has closed it, or nobody can tell;
 * `unknown`: its session ended, and the VM has not told yet whether it has the set, or too many were passed after it.
 */
export type DescriptorState = 'held' | 'used' | 'removed' | 'unknown' | 'lost';

/** One descriptor that a VM was given, for the operation that passed it. */
export interface GivenDescriptor {
  /** What arguments call it by: its name, or `/dev/fdset/N`. */
  readonly use: string;
  readonly state: DescriptorState;
}

/** A descriptor as its VM knows it. */
interface KnownDescriptor extends GivenDescriptor {
  /** The number that the VM gave to a member of a set; null of a name. */
  readonly member: number | null;
  state: DescriptorState;
}

/** What is known of a name or a set that a VM was given. */
export interface PassedDescriptor {
  /** The session it was passed in; of a set its newest member. */
  readonly epoch: string;
  /** One of a name, those of a set. */
  readonly descriptors: readonly GivenDescriptor[];
}

interface KnownUse extends PassedDescriptor {
  readonly descriptors: readonly KnownDescriptor[];
}

/** The descriptors that a VM was given through this gateway, by the names it knows them by: of `getfd`, and sets of `add-fd`. */
export class PassedDescriptors {
  readonly #names = new BoundedMap<string, KnownUse>(mostKept);
  readonly #sets = new BoundedMap<number, KnownUse>(mostKept);

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

  /** There are sets of which the VM has to be asked whether it has them still. */
  get isUnsure(): boolean {
    return this.#ofSets().some(({ state }) => state === 'unknown');
  }

  /**
   * A command about descriptors was done.
   * @param argumentsJson as it was sent
   * @param answer as the VM wrote it
   * @returns the descriptor that the VM has now
   */
  done(
    command: string,
    argumentsJson: string | undefined,
    answer: Buffer | string,
    epoch: string,
  ): GivenDescriptor | undefined {
    const sent = asObject(parsedJson(argumentsJson ?? '{}')) ?? {};
    const name = asText(sent['fdname']);
    if (command === 'getfd' && name !== undefined) return this.#named(name, epoch);
    if (command === 'add-fd') return this.#added(answer, epoch);
    if (command === 'closefd' && name !== undefined) this.#closed(name, 'removed');
    else if (command === 'remove-fd') this.#removed(asNumber(sent['fdset-id']), asNumber(sent['fd']));
    return undefined;
  }

  /** A command that took these names was sent: a server has each for one use. */
  used(names: readonly string[]): void {
    for (const name of names) this.#closed(name, 'used');
  }

  /**
   * The session has ended. Of names no command tells whether the VM has them still.
   * @param mayBeAsked the VM can tell which sets it has
   * @returns those that are different now
   */
  sessionEnded(mayBeAsked: boolean): ReadonlySet<GivenDescriptor> {
    const ofNames = [...this.#names.values()].flatMap(({ descriptors }) => descriptors);
    return new Set([...become(ofNames, 'lost'), ...become(this.#ofSets(), mayBeAsked ? 'unknown' : 'lost')]);
  }

  /**
   * The VM has told which sets it has. Those that it has not are kept: commands that use them are refused.
   * @returns those that are different now
   */
  setsTold(there: ReadonlySet<number>): ReadonlySet<GivenDescriptor> {
    const changed = new Set<GivenDescriptor>();
    for (const [set, { descriptors }] of this.#sets)
      for (const one of become(descriptors, there.has(set) ? 'held' : 'lost')) changed.add(one);
    return changed;
  }

  #ofSets(): KnownDescriptor[] {
    return [...this.#sets.values()].flatMap(({ descriptors }) => descriptors);
  }

  #named(name: string, epoch: string): GivenDescriptor {
    this.#closed(name, 'removed');
    const given: KnownDescriptor = { use: name, member: null, state: 'held' };
    add(this.#names, name, { epoch, descriptors: [given] });
    return given;
  }

  #closed(name: string, state: 'used' | 'removed'): void {
    become(this.#names.get(name)?.descriptors ?? [], state);
    this.#names.delete(name);
  }

  #added(answer: Buffer | string, epoch: string): GivenDescriptor | undefined {
    const returned = asObject(parsedJson(answer)) ?? {};
    const set = asNumber(returned['fdset-id']);
    const member = asNumber(returned['fd']);
    if (set === undefined || member === undefined) return undefined;
    const given: KnownDescriptor = { use: `/dev/fdset/${set}`, member, state: 'held' };
    const before = this.#sets.get(set)?.descriptors ?? [];
    become(before.slice(0, -(mostKept - 1)), 'unknown');
    this.#sets.delete(set);
    add(this.#sets, set, { epoch, descriptors: [...before.slice(-(mostKept - 1)), given] });
    return given;
  }

  #removed(set: number | undefined, member: number | undefined): void {
    const known = set === undefined ? undefined : this.#sets.get(set);
    if (set === undefined || known === undefined) return;
    const isOver = (one: KnownDescriptor) => member === undefined || one.member === member;
    become(known.descriptors.filter(isOver), 'removed');
    const descriptors = known.descriptors.filter((one) => !isOver(one));
    if (descriptors.length === 0) this.#sets.delete(set);
    else this.#sets.set(set, { ...known, descriptors });
  }
}

/** As the newest. What gives way for it is not followed any longer. */
function add<K>(map: BoundedMap<K, KnownUse>, key: K, known: KnownUse): void {
  const [oldest] = map.values();
  if (map.size >= mostKept && oldest !== undefined) become(oldest.descriptors, 'unknown');
  map.set(key, known);
}

/** @returns those that were something else; what is lost, used or removed stays so */
function become(descriptors: readonly KnownDescriptor[], state: DescriptorState): KnownDescriptor[] {
  const changed = descriptors.filter((one) => one.state !== state && (one.state === 'held' || one.state === 'unknown'));
  for (const one of changed) one.state = state;
  return changed;
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
