import { serverKinds, type ServerKind } from '@qmp-gateway/catalog';
import { findOwnMonitor, type Ask, type OwnMonitor } from '../access/policy/own-monitor.js';
import { secretPropertiesOf } from '../access/policy/secret-properties.js';
import {
  asObject,
  asObjects,
  asText,
  cutText,
  parsedJson,
  Semaphore,
  serverBounds,
  wholeText,
  type SessionInfo,
} from '@qmp-gateway/qmp';
import type { SchemaStore } from '../schemas/schema-store.js';
import type { VmSchema } from '../schemas/vm-schema.js';
import { hasDisplay } from './display.js';
import { isTooLong, queryDeadlineMs, queryIfAnswered, valueOf, type Run } from './own-queries.js';
import { runStateOf } from './run-state.js';
import { learnSchema, type SchemaOwner } from './server-schema.js';

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
  /** Null if it cannot be asked. */
  readonly display: boolean | null;
  readonly resetEnds: boolean | null;
}

/** The VM whose session is prepared. */
export interface PreparedVm extends SchemaOwner {
  /** Called at the exact place of the status reply in the stream, so that the events after it can be applied. */
  statusKnown(runState: string | null): void;
  /** The VM sent more of something than is accepted. */
  anomaly(kind: 'overlong-name' | 'overlong-uuid' | 'odd-definitions', detail: string): void;
}

/** Fewer than QEMU takes at once: there may be dozens of questions, and each must be taken. */
const questionsAtOnce = 4;

/**
 * Learns what a newly negotiated session offers and in which state the VM is.
 *
 * @throws Error when the VM does not answer or says what can't be understood: the session is of no use then.
 */
export async function prepareSession(session: SessionInfo, vm: PreparedVm, schemas: SchemaStore): Promise<Preparation> {
  const { monitor } = vm;
  const { greeting, window } = session;
  if (greeting === null) throw new Error('the peer sent no greeting');
  const schema = await learnSchema({ vm, session, greeting, schemas });
  if (schema.leftOut > 0) vm.anomaly('odd-definitions', `${schema.leftOut} of its schema, left out for their names`);
  // A monitor takes no more commands than it has places for; a question beyond would look like one left unanswered.
  const places = new Semaphore(Math.min(questionsAtOnce, window));
  const run: Run = (...question) => places.run(() => monitor.run(...question));
  const ask = (command: string, json?: string) => queryIfAnswered(run, command, json);
  const { kind, version } = schema.origin;
  const resetEnds = await resetEndsMachine(ask, schema);
  const [, name, uuid, ownMonitor, display] = await Promise.all([
    queryStatus(run, schema, vm),
    queryMember(run, schema, 'query-name', 'name'),
    queryMember(run, schema, 'query-uuid', 'UUID'),
    findOwnMonitor(ask, schema.model, monitor.endpoint),
    hasDisplay(ask, schema.model),
  ]);
  return {
    ...{ kind, version, schema, ownMonitor, secretProperties: secretPropertiesOf(schema.model), display, resetEnds },
    ...{ name: shownName(name, vm), uuid: shownUuid(uuid, vm) },
  };
}

/** Null if it is not known. */
async function resetEndsMachine(ask: Ask, { commands, origin }: VmSchema): Promise<boolean | null> {
  const { resetQuestion } = serverKinds[origin.kind];
  if (resetQuestion === null) return false;
  const answer = commands.has(resetQuestion) ? await ask(resetQuestion) : undefined;
  return answer === undefined ? null : asObjects(parsedJson(answer)) !== undefined;
}

/** In full up to its bound: what is shown beyond is the beginning of it. */
function shownName(name: string | null, vm: PreparedVm): string | null {
  const { most } = serverBounds.name;
  if (name === null || name.length <= most) return name;
  vm.anomaly('overlong-name', `its name has ${name.length} characters; the first ${most} are shown`);
  return cutText(name, most);
}

function shownUuid(uuid: string | null, vm: PreparedVm): string | null {
  const shown = wholeText(uuid ?? undefined, serverBounds.uuid) ?? null;
  if (shown !== uuid) vm.anomaly('overlong-uuid', `its uuid has ${uuid?.length ?? 0} characters; none is shown`);
  return shown;
}

async function queryStatus(run: Run, schema: VmSchema, vm: PreparedVm): Promise<void> {
  if (!schema.commands.has('query-status')) {
    vm.statusKnown(null);
    return;
  }
  const outcome = await run('query-status', undefined, {
    deadlineMs: queryDeadlineMs,
    arrived: (arrived) => {
      if (arrived.kind === 'return') vm.statusKnown(runStateOf(arrived));
    },
  });
  if (isTooLong(outcome)) vm.statusKnown(null);
  else valueOf('query-status', outcome);
}

/** One text member of a query's answer; null when the VM has no such query, does not set the member, or there is no end to it. */
async function queryMember(run: Run, schema: VmSchema, command: string, member: string): Promise<string | null> {
  if (!schema.commands.has(command)) return null;
  const outcome = await run(command, undefined, { deadlineMs: queryDeadlineMs });
  if (isTooLong(outcome)) return null;
  return asText(asObject(parsedJson(valueOf(command, outcome)))?.[member]) ?? null;
}
