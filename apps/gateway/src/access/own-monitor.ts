import type { JsonNode, QapiModel } from '@qmp-gateway/qapi';
import { asObjects, asText, parsedJson, type Endpoint } from '@qmp-gateway/qmp';

/** What of a VM carries the gateway's own connection to it. */
export interface OwnMonitor {
  /** Character devices by id. */
  readonly chardevs: readonly string[];
  /** Monitor objects (QEMU 11.1 and later) by id. */
  readonly objects: readonly string[];
}

export const noOwnMonitor: OwnMonitor = { chardevs: [], objects: [] };

/** Asks the VM; undefined when it answers with an error. */
export type Ask = (command: string, argumentsJson?: string) => Promise<Buffer | undefined>;

interface Chardev {
  readonly label: string;
  readonly filename: string;
}

const monitorObject = 'monitor-qmp';

/** Finds the back-end the gateway is connected to, while it is: its `filename` names the endpoint. */
export async function findOwnMonitor(ask: Ask, model: QapiModel, endpoint: Endpoint): Promise<OwnMonitor> {
  if (!model.commands.has('query-chardev')) return noOwnMonitor;
  const answer = await ask('query-chardev');
  if (answer === undefined) return noOwnMonitor;
  const listed = asObjects(parsedJson(answer));
  // A server that means something else by it (StratoVirt answers some queries with an empty object) has nothing of ours.
  if (listed === undefined) return noOwnMonitor;
  const all = listed.flatMap(({ label, filename }) =>
    typeof label === 'string' && typeof filename === 'string' ? [{ label, filename }] : [],
  );
  const chardevs = chardevsOf(all, endpoint);
  return { chardevs, objects: hasMonitorObjects(model) ? await monitorObjects(ask, chardevs) : [] };
}

/**
 * The character devices that are, or may be, the gateway's own. QEMU was perhaps started with another spelling of the
 * path (relative, another mount namespace) or another name of the address; then all sockets that somebody is connected
 * to may be ours.
 */
function chardevsOf(chardevs: readonly Chardev[], endpoint: Endpoint): string[] {
  const connected = chardevs.filter(({ filename }) => /^(?:unix|tcp|tls|telnet|websocket|wss):/.test(filename));
  const exact = connected.filter(({ filename }) => names(filename, endpoint));
  return (exact.length > 0 ? exact : connected).map(({ label }) => label);
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

/** Monitor objects on one of these character devices, or on one that can't be told. */
async function monitorObjects(ask: Ask, chardevs: readonly string[]): Promise<string[]> {
  const listed = await ask('qom-list', '{"path":"/objects"}');
  if (listed === undefined) return [];
  const objects = asObjects(parsedJson(listed)) ?? [];
  const monitors = objects.flatMap(({ name, type }) =>
    type === `child<${monitorObject}>` && typeof name === 'string' ? [name] : [],
  );
  const own = await Promise.all(
    monitors.map(async (name) => {
      const value = await ask('qom-get', JSON.stringify({ path: `/objects/${name}`, property: 'chardev' }));
      return value === undefined || chardevs.includes(asText(parsedJson(value)) ?? '');
    }),
  );
  return monitors.filter((_, at) => own[at]);
}

/** A way to take away or change what carries a monitor. */
interface Aim {
  readonly at: readonly (keyof OwnMonitor)[];
  /** Which part of the own monitor these arguments aim at. */
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
    { at: ['chardevs', 'objects'], find: (args, own) => ownIdInLine(text(args, 'command-line') ?? '', own) },
  ],
]);

/** Which part of the gateway's own monitor a command would take away or change; undefined when none. */
export function aimsAtOwnMonitor(command: string, args: JsonNode | undefined, own: OwnMonitor): string | undefined {
  return aims.get(command)?.find(args, own);
}

/** True when there are arguments with which the command would aim at the gateway's own monitor. */
export function mayAimAtOwnMonitor(command: string, own: OwnMonitor): boolean {
  return aims.get(command)?.at.some((part) => own[part].length > 0) === true;
}

function ownInstance(args: JsonNode | undefined, { chardevs }: OwnMonitor): string | undefined {
  const instances = member(args, 'instances');
  if (instances?.kind !== 'array') return undefined;
  return instances.items
    .filter((instance) => text(instance, 'type') === 'chardev')
    .map((instance) => ownId(instance, chardevs))
    .find((id) => id !== undefined);
}

/**
 * The same in the words of the human monitor. Its parser skips white space before each word, takes a word bare or in
 * double quotes, and knows no abbreviations; ids hold no character that could be escaped.
 */
function ownIdInLine(line: string, own: OwnMonitor): string | undefined {
  const [, name, id] = /^\s*([^\s/]+)\s+"?([^\s"]+)/.exec(line) ?? [];
  if (id === undefined) return undefined;
  if (name === 'chardev-remove' || name === 'chardev-change') return own.chardevs.find((chardev) => chardev === id);
  return name === 'object_del' ? own.objects.find((object) => object === id) : undefined;
}

function ownId(node: JsonNode | undefined, own: readonly string[]): string | undefined {
  const id = text(node, 'id');
  return id !== undefined && own.includes(id) ? id : undefined;
}

function text(node: JsonNode | undefined, name: string): string | undefined {
  const value = member(node, name);
  return value?.kind === 'string' ? value.value : undefined;
}

function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.find((candidate) => candidate.name === name)?.value : undefined;
}
