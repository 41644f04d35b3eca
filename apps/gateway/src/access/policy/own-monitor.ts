import { isConnectionType, propertySetters } from '@qmp-gateway/catalog';
import type { JsonNode, QapiModel } from '@qmp-gateway/qapi';
import { asObjects, asText, parsedJson, type Endpoint } from '@qmp-gateway/qmp';
import { memberOf, textOf } from './argument-members.js';
import { firstWord, readHumanLine } from './human-line.js';

/** The parts of a VM that carry the gateway's own connection. */
export interface OwnMonitor {
  /** Character devices by id. */
  readonly chardevs: readonly string[];
  /** Monitor objects (QEMU 11.1 and later) by id. */
  readonly objects: readonly string[];
}

export const noOwnMonitor: OwnMonitor = { chardevs: [], objects: [] };

/** Queries the VM; undefined if it answers with an error. */
export type Ask = (command: string, argumentsJson?: string) => Promise<Buffer | undefined>;

interface Chardev {
  readonly label: string;
  readonly filename: string;
}

const monitorObject = 'monitor-qmp';

/** Number of monitor objects to query for their character device; a machine has a handful, and each costs a query. */
const mostMonitors = 64;

/** Finds the back-end that the gateway is connected to, while it is connected: its `filename` names the endpoint. */
export async function findOwnMonitor(ask: Ask, model: QapiModel, endpoint: Endpoint): Promise<OwnMonitor> {
  if (!model.commands.has('query-chardev')) return noOwnMonitor;
  const answer = await ask('query-chardev');
  if (answer === undefined) return noOwnMonitor;
  const listed = asObjects(parsedJson(answer));
  // A server for which it means something else (StratoVirt answers some queries with an empty object) has no such part.
  if (listed === undefined) return noOwnMonitor;
  const all = listed.flatMap(({ label, filename }) =>
    typeof label === 'string' && typeof filename === 'string' ? [{ label, filename }] : [],
  );
  const chardevs = chardevsOf(all, endpoint);
  return { chardevs, objects: hasMonitorObjects(model) ? await monitorObjects(ask, chardevs) : [] };
}

/**
 * The character devices that are, or may be, the gateway's own. QEMU may have been started with another spelling of the
 * path (relative, another mount namespace) or another name of the address; then all connected sockets may be the
 * gateway's.
 */
function chardevsOf(chardevs: readonly Chardev[], endpoint: Endpoint): string[] {
  const connected = chardevs.filter(({ filename }) => /^(?:unix|tcp|tls|telnet|websocket|wss):/.test(filename));
  const exact = connected.filter(({ filename }) => names(filename, endpoint));
  const own = (exact.length > 0 ? exact : connected).map(({ label }) => label);
  return [...own, ...muxesOver(own, chardevs)];
}

/**
 * With `mux=on` the monitor is on a multiplexer, and the socket below it is named `<id>-base`. For a separately created
 * multiplexer or hub nothing says what is below it.
 */
function muxesOver(own: readonly string[], chardevs: readonly Chardev[]): string[] {
  const labels = new Set(chardevs.map(({ label }) => label));
  return chardevs
    .filter(({ filename }) => filename === 'mux' || filename === 'hub')
    .filter(({ label }) => own.includes(`${label}-base`) || (own.length > 0 && !labels.has(`${label}-base`)))
    .map(({ label }) => label);
}

/**
 * `unix:/path,server=on` (`,server` alone before QEMU 6.0), `tcp:127.0.0.1:4444,server=on <-> 127.0.0.1:51982`; without
 * `server` where QEMU dials.
 */
function names(filename: string, endpoint: Endpoint): boolean {
  if ('path' in endpoint) {
    const name = `unix:${endpoint.path}`;
    return filename === name || filename.startsWith(`${name},server`);
  }
  return filename.split(/[, ]/, 1)[0]?.endsWith(`:${endpoint.port}`) === true;
}

function hasMonitorObjects(model: QapiModel): boolean {
  if (!model.commands.has('qom-list') || !model.commands.has('qom-get')) return false;
  for (const type of model.types.values())
    if (type.kind === 'enum' && type.values.some(({ name }) => name === monitorObject)) return true;
  return false;
}

/**
 * Monitor objects on one of these character devices, or on an unknown one. If none says that it is, all may be: the
 * property can be set to any text while the monitor stays where it was.
 */
async function monitorObjects(ask: Ask, chardevs: readonly string[]): Promise<string[]> {
  const listed = await ask('qom-list', '{"path":"/objects"}');
  if (listed === undefined) return [];
  const objects = asObjects(parsedJson(listed)) ?? [];
  const monitors = objects.flatMap(({ name, type }) =>
    type === `child<${monitorObject}>` && typeof name === 'string' ? [name] : [],
  );
  if (monitors.length > mostMonitors) return monitors;
  const own = await Promise.all(
    monitors.map(async (name) => {
      const value = await ask('qom-get', JSON.stringify({ path: `/objects/${name}`, property: 'chardev' }));
      return value === undefined || chardevs.includes(asText(parsedJson(value)) ?? '');
    }),
  );
  return own.includes(true) ? monitors.filter((_, at) => own[at]) : monitors;
}

/** A way to remove or change a part that carries a monitor. */
interface Aim {
  readonly at: readonly (keyof OwnMonitor)[];
  /** The part of the gateway's own monitor that these arguments address. */
  readonly find: (args: JsonNode | undefined, own: OwnMonitor) => string | undefined;
}

const atChardev: Aim = { at: ['chardevs'], find: (args, { chardevs }) => ownId(args, chardevs) };

const aims: ReadonlyMap<string, Aim> = new Map([
  ['chardev-remove', atChardev],
  ['chardev-change', atChardev],
  ['object-del', { at: ['objects'], find: (args, { objects }) => ownId(args, objects) }],
  ['yank', { at: ['chardevs'], find: ownInstance }],
  [
    'human-monitor-command',
    { at: ['chardevs', 'objects'], find: (args, own) => ownInLine(textOf(args, 'command-line') ?? '', own) },
  ],
  ...[...propertySetters].map((setter): [string, Aim] => [
    setter,
    { at: ['chardevs', 'objects'], find: (args, own) => ownAtPath(textOf(args, 'path'), own) },
  ]),
]);

/** The part of the gateway's own monitor that a command would remove or change; undefined if none. */
export function aimsAtOwnMonitor(command: string, args: JsonNode | undefined, own: OwnMonitor): string | undefined {
  return aims.get(command)?.find(args, own);
}

/** True if some arguments would make the command address the gateway's own monitor. */
export function mayAimAtOwnMonitor(command: string, own: OwnMonitor): boolean {
  return aims.get(command)?.at.some((part) => own[part].length > 0) === true;
}

function ownInstance(args: JsonNode | undefined, { chardevs }: OwnMonitor): string | undefined {
  const instances = memberOf(args, 'instances');
  if (instances?.kind !== 'array') return undefined;
  return instances.items
    .filter((instance) => textOf(instance, 'type') === 'chardev')
    .map((instance) => ownId(instance, chardevs))
    .find((id) => id !== undefined);
}

/** The same for the human monitor. */
function ownInLine(line: string, own: OwnMonitor): string | undefined {
  if (isNone(own)) return undefined;
  const { name, rest } = readHumanLine(line);
  const word = firstWord(rest);
  if (word.kind === 'none') return undefined;
  if (propertySetters.has(name)) return word.kind === 'word' ? ownAtPath(word.text, own) : word.text.slice(0, 64);
  const ids = name === 'object_del' ? own.objects : /^chardev-(?:remove|change)$/.test(name) ? own.chardevs : [];
  return ids.find((id) => id === word.text);
}

function isNone({ chardevs, objects }: OwnMonitor): boolean {
  return chardevs.length + objects.length === 0;
}

/** Directories of user-created objects and of character devices; neither contains links. */
const containers = ['objects', 'chardevs'] as const;

/**
 * The gateway's own part that the text of a path names: `/objects/mon0`, with any number of slashes, or a partial path
 * with such an end, which QEMU searches for everywhere.
 */
function ownAtPath(path: string | undefined, own: OwnMonitor): string | undefined {
  const names = namesIn(path ?? '');
  const last = names.at(-1);
  if (last === undefined || names.length > 2) return undefined;
  const place = names.length === 2 ? names[0] : path?.startsWith('/') === true ? '' : undefined;
  const found = containers.find((name) => (place ?? name) === name && own[name].includes(last));
  return found === undefined ? undefined : last;
}

/** QEMU skips empty names. */
function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

/**
 * The path to query before the command is sent: it may lead to the gateway's own monitor indirectly, by a link or as a
 * partial path. Undefined if the command sets nothing, or cannot lead there.
 */
export function pathToAskAbout(command: string, args: JsonNode | undefined, own: OwnMonitor): string | undefined {
  if (isNone(own)) return undefined;
  const path = settersPath(command, args);
  if (path === undefined) return undefined;
  const [first, , ...others] = namesIn(path);
  const container = path.startsWith('/') && others.length === 0 ? containers.find((name) => name === first) : undefined;
  // All of the gateway's own there are known, and this is not one of them.
  if (container !== undefined && own[container].length > 0) return undefined;
  return path;
}

/** The path of the object whose property a command sets. */
function settersPath(command: string, args: JsonNode | undefined): string | undefined {
  if (propertySetters.has(command)) return textOf(args, 'path');
  if (command !== 'human-monitor-command') return undefined;
  const { name, rest } = readHumanLine(textOf(args, 'command-line') ?? '');
  const word = firstWord(rest);
  return propertySetters.has(name) && word.kind === 'word' ? word.text : undefined;
}

/** @param type the VM's answer for the path, a string for every object; it does not say which object of that type */
export function mayBeOwnMonitor(type: string | undefined): boolean {
  return type === undefined || isConnectionType(type);
}

function ownId(node: JsonNode | undefined, own: readonly string[]): string | undefined {
  const id = textOf(node, 'id');
  return id !== undefined && own.includes(id) ? id : undefined;
}
