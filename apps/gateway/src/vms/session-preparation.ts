import type { ServerKind } from '@qmp-gateway/catalog';
import { findOwnMonitor, type Ask, type OwnMonitor } from '../access/own-monitor.js';
import {
  asObject,
  asObjects,
  asText,
  parsedJson,
  type Endpoint,
  type Monitor,
  type Outcome,
  type SessionInfo,
} from '@qmp-gateway/qmp';
import type { SchemaStore } from '../schemas/schema-store.js';
import type { VmSchema } from '../schemas/vm-schema.js';
import type { VmKind } from '../settings/settings.js';
import { hasDisplay } from './display.js';
import { runStateOf } from './run-state.js';

/** What is asked of a VM before its session counts as ready. */
export interface Preparation {
  readonly kind: ServerKind;
  readonly version: string;
  readonly schema: VmSchema;
  readonly name: string | null;
  readonly uuid: string | null;
  readonly ownMonitor: OwnMonitor;
  /** Null where it can't be asked. */
  readonly display: boolean | null;
  readonly resetEnds: boolean | null;
}

/** Introspection is some 200 KB and takes QEMU 60-90 ms; a busy host may need far longer. */
const queryDeadlineMs = 10_000;

/**
 * Learns what a newly negotiated session offers and in which state the VM is.
 *
 * @param statusKnown called at the very place of the status reply in the stream, so that the events after it can be applied
 * @throws Error when the VM does not answer or says what can't be understood: the session is of no use then.
 */
export async function prepareSession(
  monitor: Monitor,
  session: SessionInfo,
  endpoint: Endpoint,
  wanted: VmKind,
  schemas: SchemaStore,
  statusKnown: (runState: string | null) => void,
): Promise<Preparation> {
  const { greeting } = session;
  if (greeting === null) throw new Error('the peer sent no greeting');
  const { major, minor, micro } = greeting.version;
  const stratovirt = session.dialect === 'stratovirt';
  const version = stratovirt
    ? greeting.package.replace(/^StratoVirt-/, '')
    : `${String(major)}.${String(minor)}.${String(micro)}`;
  const schema = stratovirt
    ? await schemas.fromCommandList(
        { kind: 'stratovirt', version, package: greeting.package },
        await commandNames(monitor),
      )
    : await introspect(monitor, schemas, wanted, version, greeting.package);
  const ask = (command: string, json?: string) => queryIfAnswered(monitor, command, json);
  // StratoVirt takes one question at a time.
  const resetEnds = stratovirt ? await resetEndsMachine(ask, schema) : false;
  const [, name, uuid, ownMonitor, display] = await Promise.all([
    queryStatus(monitor, schema, statusKnown),
    queryMember(monitor, schema, 'query-name', 'name'),
    queryMember(monitor, schema, 'query-uuid', 'UUID'),
    findOwnMonitor(ask, schema.model, endpoint),
    hasDisplay(ask, schema.model),
  ]);
  return { kind: schema.origin.kind, version, schema, name, uuid, ownMonitor, display, resetEnds };
}

/** StratoVirt's two machines differ in little that can be asked: only a microVM lists its processors here. */
async function resetEndsMachine(ask: Ask, { commands }: VmSchema): Promise<boolean | null> {
  const question = 'query-hotpluggable-cpus';
  const answer = commands.has(question) ? await ask(question) : undefined;
  return answer === undefined ? null : asObjects(parsedJson(answer)) !== undefined;
}

async function introspect(
  monitor: Monitor,
  schemas: SchemaStore,
  wanted: VmKind,
  version: string,
  packageName: string,
): Promise<VmSchema> {
  const introspection = await query(monitor, 'query-qmp-schema');
  // A storage daemon answers like QEMU, but has no machine whose status could be asked.
  const kind = wanted === 'storage-daemon' || !introspection.includes('"query-status"') ? 'storage-daemon' : 'qemu';
  return schemas.fromIntrospection({ kind, version, package: packageName }, introspection);
}

async function commandNames(monitor: Monitor): Promise<string[]> {
  const list = asObjects(parsedJson(await query(monitor, 'query-commands')));
  if (list === undefined) throw new Error('query-commands: not a list');
  return list.flatMap(({ name }) => asText(name) ?? []);
}

async function query(monitor: Monitor, command: string, arrived?: (outcome: Outcome) => void): Promise<Buffer> {
  const outcome = await monitor.run(command, undefined, {
    deadlineMs: queryDeadlineMs,
    ...(arrived === undefined ? {} : { arrived }),
  });
  if (outcome.kind === 'return') return outcome.value;
  throw new Error(`${command}: ${outcome.kind === 'error' ? outcome.desc : outcome.kind}`);
}

/** For what a session can do without. */
async function queryIfAnswered(monitor: Monitor, command: string, json?: string): Promise<Buffer | undefined> {
  const outcome = await monitor.run(command, json, { deadlineMs: queryDeadlineMs });
  return outcome.kind === 'return' ? outcome.value : undefined;
}

async function queryStatus(
  monitor: Monitor,
  schema: VmSchema,
  statusKnown: (runState: string | null) => void,
): Promise<void> {
  if (!schema.commands.has('query-status')) {
    statusKnown(null);
    return;
  }
  await query(monitor, 'query-status', (outcome) => {
    if (outcome.kind !== 'return') return;
    statusKnown(runStateOf(outcome));
  });
}

/** One text member of a query's answer; null when the VM has no such query or does not set the member. */
async function queryMember(
  monitor: Monitor,
  schema: VmSchema,
  command: string,
  member: string,
): Promise<string | null> {
  if (!schema.commands.has(command)) return null;
  const answer = asObject(parsedJson(await query(monitor, command)));
  return asText(answer?.[member]) ?? null;
}
