import { secretHolders } from '@qmp-gateway/catalog';
import { JsonSyntaxError, readJson, type JsonDocument, type JsonNode } from '@qmp-gateway/qapi';
import { serverBounds } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../http/command-trace.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import { takeOver, type QomObject, type QomProperty } from './qom-object.js';

/** Commands in flight at once: enough to keep the VM busy, while half of its places stay free for others. */
const window = 4;
/** Objects in one `qom-list-get`: the VM serves nobody else while it reads them. */
const atOnce = 32;
/** Bytes of all replies together. */
const mostBytes = 16 * 2 ** 20;

/** For a caller who may not read secrets. */
export interface WithheldSecrets {
  isSecret(property: string): boolean;
  /** The text in place of secrets. */
  readonly reason: string;
}

/** How a VM may be read, and for whom. */
export interface QomReading {
  /** The most commands. */
  readonly budget: number;
  /** Whether the VM has `qom-list-get`. */
  readonly bulk: boolean;
  /** Whether the caller is still connected. */
  readonly asked: () => boolean;
  /** Undefined if the caller may read secrets. */
  readonly secrets?: WithheldSecrets | undefined;
}

export const cuts = ['commands', 'bytes', 'deadline'] as const;
/** Why a tree is incomplete. */
export type Cut = (typeof cuts)[number];

/**
 * Reads objects and their values with as few commands as the VM allows, within its budget. Beyond that `cut` has the
 * reason, and unread objects stay as they were.
 */
export class QomReader {
  /** Session and event cursor of the first command's answer. */
  trace: CommandTrace = {};
  #cut: Cut | undefined;
  #bytes = 0;
  #failed = false;

  constructor(
    private readonly commands: RequestCommands,
    private readonly reading: QomReading,
  ) {}

  get cut(): Cut | undefined {
    return this.#cut;
  }

  /** @throws Problem also if the VM has no such object */
  async lookInto(object: QomObject): Promise<void> {
    const [listed] = await this.#list([object]);
    if (listed !== undefined) takeOver(object, listed);
  }

  /** Keeps the VM's refusal of a single object as its `error`. @throws Problem for all other failures */
  async lookIntoAll(objects: readonly QomObject[]): Promise<void> {
    const size = this.reading.bulk ? atOnce : 1;
    // The VM would refuse all their values, for the whole group.
    const groups = objects.filter((object) => this.#hasSecrets(object)).map((object) => [object]);
    const others = objects.filter((object) => !this.#hasSecrets(object));
    for (let at = 0; at < others.length; at += size) groups.push(others.slice(at, at + size));
    await this.#pipeline(groups, (group) => this.#lookIntoGroup(group));
  }

  /** Reads the values that are not known yet. @throws Problem for failures other than a refusal of the VM */
  async readValues(objects: readonly QomObject[]): Promise<void> {
    const unread = objects.flatMap(({ path, properties = [] }) =>
      properties.filter((property) => isUnread(property)).map((of) => ({ path, of })),
    );
    await this.#pipeline(unread, async ({ path, of }) => {
      try {
        of.value = await this.value(path, of.name);
      } catch (error) {
        of.error = refusalOf(error);
      }
    });
  }

  /** The value of a property, as the VM writes it. @throws Problem */
  async value(path: string, property: string): Promise<string> {
    return this.#run('qom-get', { path, property });
  }

  async #lookIntoGroup(group: readonly QomObject[]): Promise<void> {
    try {
      const listed = await this.#list(group);
      for (const [index, object] of group.entries()) takeOver(object, listed[index] ?? []);
    } catch (error) {
      const refusal = refusalOf(error);
      const [only, ...others] = group;
      // One object that is gone, or has a secret, spoils the reply for all of them: reads each alone then.
      if (others.length > 0) for (const object of group) await this.#unlessCut(() => this.#lookIntoGroup([object]));
      else if (only !== undefined) only.error = refusal;
    }
  }

  async #list(objects: readonly QomObject[]): Promise<QomProperty[][]> {
    const [first, ...others] = objects;
    if (first === undefined) return [];
    if (!this.reading.bulk || this.#hasSecrets(first)) return this.#listNames(first);
    try {
      const document = readList(await this.#run('qom-list-get', { paths: objects.map(({ path }) => path) }));
      const items = document.root.kind === 'array' ? document.root.items : [];
      return items.map((item) => this.#shown(propertiesOf(document, memberOf(item, 'properties'))));
    } catch (error) {
      if (others.length > 0 || !(error instanceof Problem) || error.code !== 'forbidden') throw error;
      return this.#listNames(first);
    }
  }

  async #listNames({ path }: QomObject): Promise<QomProperty[][]> {
    const document = readList(await this.#run('qom-list', { path }));
    return [this.#shown(propertiesOf(document, document.root))];
  }

  #hasSecrets({ type }: QomObject): boolean {
    return this.reading.secrets !== undefined && type !== null && secretHolders.has(type);
  }

  /** Secrets are not requested; those that came with others (an empty one does) are removed. */
  #shown(properties: QomProperty[]): QomProperty[] {
    const { secrets } = this.reading;
    if (secrets === undefined) return properties;
    return properties.map(({ name, type, ...value }) =>
      secrets.isSecret(name) ? { name, type, withheld: secrets.reason } : { name, type, ...value },
    );
  }

  async #run(command: string, args: object): Promise<string> {
    const { json, trace } = await this.commands.run(command, JSON.stringify(args), { part: true });
    if (this.trace.epoch === undefined) this.trace = trace;
    this.#bytes += json.length;
    return json;
  }

  /** Processes the items, some at a time, until one fails or nothing more may be sent. */
  async #pipeline<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const next = items.values();
    const lane = async (): Promise<void> => {
      for (const item of next) {
        await this.#unlessCut(() => work(item));
        if (this.#cut !== undefined || this.#failed || !this.reading.asked()) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(window, items.length) }, lane));
  }

  async #unlessCut(work: () => Promise<void>): Promise<void> {
    if (this.commands.count >= this.reading.budget) this.#cut ??= 'commands';
    if (this.#bytes > mostBytes) this.#cut ??= 'bytes';
    if (this.#cut !== undefined) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof Problem && error.code === 'deadline-exceeded') {
        this.#cut = 'deadline';
        return;
      }
      this.#failed = true;
      throw error;
    }
  }
}

function isUnread({ value, error, withheld }: QomProperty): boolean {
  return value === undefined && error === undefined && withheld === undefined;
}

/** A parsed list takes many times its bytes. @throws Problem that counts as a refusal: the object cannot be read */
function readList(json: string): JsonDocument {
  const { most } = serverBounds.objectList;
  if (json.length > most)
    throw unreadList(`The list of the VM has over ${most} bytes, which is more than the gateway reads.`);
  try {
    return readJson(json);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw unreadList(`The VM's list cannot be read: ${error.message}.`);
    throw error;
  }
}

function unreadList(detail: string): Problem {
  return new Problem('command-failed', detail, { outcome: 'refused' });
}

/** The VM's refusal of one object or property. @throws all other errors */
function refusalOf(error: unknown): string {
  if (error instanceof Problem && error.outcome === 'refused') return error.fields.qmp?.desc ?? error.detail;
  throw error;
}

/** The entries of a `qom-list`, or of one object in a `qom-list-get`; values stay unparsed bytes. */
function propertiesOf(document: JsonDocument, list: JsonNode | undefined): QomProperty[] {
  if (list?.kind !== 'array') return [];
  return list.items.flatMap((entry) => {
    const name = memberOf(entry, 'name');
    const type = memberOf(entry, 'type');
    if (name?.kind !== 'string' || type?.kind !== 'string') return [];
    const value = memberOf(entry, 'value');
    const text = value === undefined ? {} : { value: document.text.slice(value.start, value.end) };
    return [{ name: name.value, type: type.value, ...text }];
  });
}

function memberOf(node: JsonNode, name: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.find((member) => member.name === name)?.value : undefined;
}
