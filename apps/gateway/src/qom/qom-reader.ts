import { secretHolders } from '@qmp-gateway/catalog';
import { JsonSyntaxError, readJson, type JsonDocument, type JsonNode } from '@qmp-gateway/qapi';
import { serverBounds } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../commands/command-request.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import { takeOver, type QomObject, type QomProperty } from './qom-object.js';

/** Commands under way at once: enough that the VM always has the next one, and half of its places are left to others. */
const window = 4;
/** Objects in one `qom-list-get`: the VM answers nobody else while it reads them. */
const atOnce = 32;
/** Of replies, in all. */
const mostBytes = 16 * 2 ** 20;

/** For a caller who may not read secrets. */
export interface WithheldSecrets {
  isSecret(property: string): boolean;
  /** What is shown in their place. */
  readonly reason: string;
}

/** Why a tree ends before its end. */
export type Cut = 'commands' | 'bytes' | 'deadline';

/**
 * Looks into objects and reads their values with as few commands as the VM lets it, and no more than its budget: then
 * `cut` says why, and what was not read stays as it was.
 */
export class QomReader {
  /** What the first command's answer said of session and position. */
  trace: CommandTrace = {};
  #cut: Cut | undefined;
  #bytes = 0;
  #failed = false;

  /**
   * @param bulk the VM has `qom-list-get`
   * @param asked is somebody still there to read the answer?
   * @param secrets undefined when the caller may read them
   */
  constructor(
    private readonly commands: RequestCommands,
    private readonly budget: number,
    private readonly bulk: boolean,
    private readonly asked: () => boolean,
    private readonly secrets?: WithheldSecrets,
  ) {}

  get cut(): Cut | undefined {
    return this.#cut;
  }

  /** @throws Problem also when the VM knows no such object */
  async lookInto(object: QomObject): Promise<void> {
    const [listed] = await this.#list([object]);
    if (listed !== undefined) takeOver(object, listed);
  }

  /** What the VM refuses of a single object is kept as its `error`. @throws Problem for all else */
  async lookIntoAll(objects: readonly QomObject[]): Promise<void> {
    const size = this.bulk ? atOnce : 1;
    // All values of theirs would be refused, to all of a group.
    const groups = objects.filter((object) => this.#hasSecrets(object)).map((object) => [object]);
    const others = objects.filter((object) => !this.#hasSecrets(object));
    for (let at = 0; at < others.length; at += size) groups.push(others.slice(at, at + size));
    await this.#pipeline(groups, (group) => this.#lookIntoGroup(group));
  }

  /** Reads what values are not known yet. @throws Problem for what is no refusal of the VM */
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
      // One object that is gone, or has a secret, spoils the answer for all: each alone then.
      if (others.length > 0) for (const object of group) await this.#unlessCut(() => this.#lookIntoGroup([object]));
      else if (only !== undefined) only.error = refusal;
    }
  }

  async #list(objects: readonly QomObject[]): Promise<QomProperty[][]> {
    const [first, ...others] = objects;
    if (first === undefined) return [];
    if (!this.bulk || this.#hasSecrets(first)) return this.#listNames(first);
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
    return this.secrets !== undefined && type !== null && secretHolders.has(type);
  }

  /** Secrets are not asked for, and where they came with others (an empty one does) they are taken out. */
  #shown(properties: QomProperty[]): QomProperty[] {
    const { secrets } = this;
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

  /** Works on the items, some at a time, until one fails or nothing more may be sent. */
  async #pipeline<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const next = items.values();
    const lane = async (): Promise<void> => {
      for (const item of next) {
        await this.#unlessCut(() => work(item));
        if (this.#cut !== undefined || this.#failed || !this.asked()) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(window, items.length) }, lane));
  }

  async #unlessCut(work: () => Promise<void>): Promise<void> {
    if (this.commands.count >= this.budget) this.#cut ??= 'commands';
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

/** A list's tree takes many times its bytes. @throws Problem that stands for a refusal: the object can't be looked into */
function readList(json: string): JsonDocument {
  const { most } = serverBounds.objectList;
  if (json.length > most) throw unreadList(`The VM lists over ${most} bytes, more than is read.`);
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

/** What the VM said against one object or property. @throws what is no refusal of the VM */
function refusalOf(error: unknown): string {
  if (error instanceof Problem && error.outcome === 'refused') return error.fields.qmp?.desc ?? error.detail;
  throw error;
}

/** The entries of a `qom-list`, or of one object in a `qom-list-get`; values stay the bytes they are. */
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
