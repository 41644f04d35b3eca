import { describesMoreThanItHas, type ServerKind } from '@qmp-gateway/catalog';
import { IntrospectionSizeError } from '@qmp-gateway/qapi';
import { findOwnMonitor, type Ask, type OwnMonitor } from '../access/own-monitor.js';
import { findSecretProperties } from '../access/secret-types.js';
import {
  asObject,
  asObjects,
  asText,
  cutText,
  isDefinitionName,
  parsedJson,
  PreparationError,
  serverBounds,
  wholeText,
  type Endpoint,
  type Monitor,
  type Outcome,
  type SessionInfo,
} from '@qmp-gateway/qmp';
import type { MayBuild, SchemaStore } from '../schemas/schema-store.js';
import type { VmSchema } from '../schemas/vm-schema.js';
import type { VmKind } from '../settings/settings.js';
import { hasDisplay } from './display.js';
import { fewAtOnce } from './few-at-once.js';
import { runStateOf } from './run-state.js';

/** What is asked of a VM before its session counts as ready. */
export interface Preparation {
  readonly kind: ServerKind;
  readonly version: string;
  readonly schema: VmSchema;
  readonly name: string | null;
  readonly uuid: string | null;
  readonly ownMonitor: OwnMonitor;
  /** Properties of objects that are secrets, beyond those the catalog knows. */
  readonly secretProperties: ReadonlySet<string>;
  /** Null where it can't be asked. */
  readonly display: boolean | null;
  readonly resetEnds: boolean | null;
}

/** What preparing a session needs of the VM. */
export interface PreparedVm {
  readonly endpoint: Endpoint;
  readonly wanted: VmKind;
  readonly mayBuild: MayBuild;
  /** Called at the very place of the status reply in the stream, so that the events after it can be applied. */
  readonly statusKnown: (runState: string | null) => void;
  /** It said more of something than is taken. */
  odd(kind: 'overlong-name' | 'overlong-uuid' | 'odd-definitions', detail: string): void;
}

/** Introspection is some 200 KB and takes QEMU 60-90 ms; a busy host may need far longer. */
const queryDeadlineMs = 10_000;
/** Fewer than QEMU has places for: there may be dozens of questions, and each must be taken. StratoVirt takes one. */
const questionsAtOnce = 4;

type Run = Monitor['run'];

/**
 * Learns what a newly negotiated session offers and in which state the VM is.
 *
 * @throws Error when the VM does not answer or says what can't be understood: the session is of no use then.
 */
export async function prepareSession(
  monitor: Monitor,
  session: SessionInfo,
  schemas: SchemaStore,
  vm: PreparedVm,
): Promise<Preparation> {
  const { greeting } = session;
  if (greeting === null) throw new Error('the peer sent no greeting');
  const { major, minor, micro } = greeting.version;
  const stratovirt = session.dialect === 'stratovirt';
  const version = stratovirt
    ? cutText(greeting.package.replace(/^StratoVirt-/, ''), serverBounds.version.most)
    : `${String(major)}.${String(minor)}.${String(micro)}`;
  const schema = stratovirt
    ? await schemas.fromCommandList(
        { kind: 'stratovirt', version, package: greeting.package },
        await commandNames(monitor, vm),
        vm.mayBuild,
      )
    : await introspect(monitor, schemas, vm, version, greeting.package);
  if (schema.leftOut > 0) vm.odd('odd-definitions', `${schema.leftOut} of its schema, left out for their names`);
  const run: Run = fewAtOnce((...question) => monitor.run(...question), stratovirt ? 1 : questionsAtOnce);
  const ask = (command: string, json?: string) => queryIfAnswered(run, command, json);
  const resetEnds = stratovirt ? await resetEndsMachine(ask, schema) : false;
  const [, name, uuid, ownMonitor, secretProperties, display] = await Promise.all([
    queryStatus(run, schema, vm.statusKnown),
    queryMember(run, schema, 'query-name', 'name'),
    queryMember(run, schema, 'query-uuid', 'UUID'),
    findOwnMonitor(ask, schema.model, vm.endpoint),
    findSecretProperties(ask, schema.model),
    hasDisplay(ask, schema.model),
  ]);
  return {
    ...{ kind: schema.origin.kind, version, schema, ownMonitor, secretProperties, display, resetEnds },
    ...{ name: shownName(name, vm), uuid: shownUuid(uuid, vm) },
  };
}

/** StratoVirt's two machines differ in little that can be asked: only a microVM lists its processors here. */
async function resetEndsMachine(ask: Ask, { commands }: VmSchema): Promise<boolean | null> {
  const question = 'query-hotpluggable-cpus';
  const answer = commands.has(question) ? await ask(question) : undefined;
  return answer === undefined ? null : asObjects(parsedJson(answer)) !== undefined;
}

/** @throws PreparationError `schema-too-large`: a part of it would be another server than there is. */
async function introspect(
  monitor: Monitor,
  schemas: SchemaStore,
  { wanted, mayBuild }: PreparedVm,
  version: string,
  packageName: string,
): Promise<VmSchema> {
  const introspection = await querySchema(monitor, 'query-qmp-schema', serverBounds.introspection.most);
  // A storage daemon answers like QEMU, but has no machine whose status could be asked.
  const kind = wanted === 'storage-daemon' || !introspection.includes('"query-status"') ? 'storage-daemon' : 'qemu';
  const listed = describesMoreThanItHas(kind, version) ? await listedCommands(monitor) : undefined;
  try {
    return await schemas.fromIntrospection({ kind, version, package: packageName }, introspection, mayBuild, listed);
  } catch (error) {
    if (error instanceof IntrospectionSizeError) throw new PreparationError('schema-too-large', error.message);
    throw error;
  }
}

/** Undefined where the answer can't be a list of commands: one that lacks what was just answered. */
async function listedCommands(monitor: Monitor): Promise<string[] | undefined> {
  const answer = await queryIfAnswered((...question) => monitor.run(...question), 'query-commands');
  const list = answer === undefined ? undefined : asObjects(parsedJson(answer));
  const names = list?.flatMap(({ name }) => asText(name) ?? []);
  return names?.includes('query-qmp-schema') === true ? names : undefined;
}

async function commandNames(monitor: Monitor, vm: PreparedVm): Promise<string[]> {
  const list = asObjects(parsedJson(await querySchema(monitor, 'query-commands')));
  if (list === undefined) throw new Error('query-commands: not a list');
  if (list.length > serverBounds.commands.most)
    throw new PreparationError('schema-too-large', `query-commands: over ${serverBounds.commands.most} commands`);
  const names = list.flatMap(({ name }) => asText(name) ?? []);
  const taken = names.filter(isDefinitionName);
  if (taken.length < names.length)
    vm.odd('odd-definitions', `${names.length - taken.length} names of commands, left out`);
  return taken;
}

/** In full up to its bound: what is shown beyond is the beginning of it. */
function shownName(name: string | null, vm: PreparedVm): string | null {
  const { most } = serverBounds.name;
  if (name === null || name.length <= most) return name;
  vm.odd('overlong-name', `its name has ${name.length} characters; the first ${most} are shown`);
  return cutText(name, most);
}

function shownUuid(uuid: string | null, vm: PreparedVm): string | null {
  const shown = wholeText(uuid ?? undefined, serverBounds.uuid) ?? null;
  if (shown !== uuid) vm.odd('overlong-uuid', `its uuid has ${uuid?.length ?? 0} characters; none is shown`);
  return shown;
}

/** @throws PreparationError for an answer that is too long. */
async function querySchema(monitor: Monitor, command: string, answerBytes?: number): Promise<Buffer> {
  const bound = answerBytes === undefined ? {} : { answerBytes };
  const outcome = await monitor.run(command, undefined, { deadlineMs: queryDeadlineMs, ...bound });
  if (isTooLong(outcome)) throw new PreparationError('schema-too-large', `${command}: ${outcome.cause}`);
  return valueOf(command, outcome);
}

function isTooLong(outcome: Outcome): outcome is Extract<Outcome, { kind: 'unknown' }> {
  return outcome.kind === 'unknown' && outcome.tooLong === true;
}

function valueOf(command: string, outcome: Outcome): Buffer {
  if (outcome.kind === 'return') return outcome.value;
  throw new Error(`${command}: ${outcome.kind === 'error' ? outcome.desc : outcome.kind}`);
}

/** For what a session can do without. */
async function queryIfAnswered(run: Run, command: string, json?: string): Promise<Buffer | undefined> {
  const outcome = await run(command, json, { deadlineMs: queryDeadlineMs });
  return outcome.kind === 'return' ? outcome.value : undefined;
}

async function queryStatus(run: Run, schema: VmSchema, statusKnown: (runState: string | null) => void): Promise<void> {
  if (!schema.commands.has('query-status')) {
    statusKnown(null);
    return;
  }
  const outcome = await run('query-status', undefined, {
    deadlineMs: queryDeadlineMs,
    arrived: (arrived) => {
      if (arrived.kind === 'return') statusKnown(runStateOf(arrived));
    },
  });
  if (isTooLong(outcome)) statusKnown(null);
  else valueOf('query-status', outcome);
}

/** One text member of a query's answer; null when the VM has no such query, does not set the member, or there is no end to it. */
async function queryMember(run: Run, schema: VmSchema, command: string, member: string): Promise<string | null> {
  if (!schema.commands.has(command)) return null;
  const outcome = await run(command, undefined, { deadlineMs: queryDeadlineMs });
  if (isTooLong(outcome)) return null;
  return asText(asObject(parsedJson(valueOf(command, outcome)))?.[member]) ?? null;
}
