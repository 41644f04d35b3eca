import {
  argumentsFromQuery,
  JsonSyntaxError,
  readJson,
  transformBigIntegers,
  validateArguments,
  type CheckedArguments,
  type JsonDocument,
} from '@qmp-gateway/qapi';
import type { AuditLog, WorkEnd } from '../access/audit-log.js';
import type { RequestMark } from '../listeners/request-context.js';
import { latePolicy } from '../access/late-policy.js';
import { forbidden, type Decision, type Policy } from '../access/policy.js';
import type { Principal } from '../access/principal.js';
import type { CommandMetrics } from '../metrics/command-metrics.js';
import { CommandWork } from '../operations/command-work.js';
import { followedJob, type FollowedJob } from '../operations/job-following.js';
import type { WorkFollower } from '../operations/work-follower.js';
import { asProblem, Problem, type Fault } from '../problems/problem.js';
import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';
import type { Limits } from '../settings/settings.js';
import { mayBringDisplay } from '../vms/display.js';
import type { Vm } from '../vms/vm.js';
import type { VmAgent } from '../vms/vm-agent.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { argumentsToSend } from './arguments-to-send.js';
import type { CommandCheck } from './command-check.js';
import { commandNotFound } from './command-not-found.js';
import type { CommandAnswer, CommandPath, CommandRequest, CommandTrace } from './command-request.js';
import type { CommandServer } from './command-server.js';
import type { IdempotencyStore } from './idempotency.js';
import { methodNotAllowed } from './method-not-allowed.js';
import { pastedOptionFaults } from './pasted-options.js';
import { requireReadableQuery } from './readable-text.js';
import {
  epochChanged,
  RunningCommand,
  type CommandEnd,
  type RunFurther,
  type RunningSurroundings,
} from './running-command.js';
import { unavailable } from './unavailable.js';

/** A command that was found: on which VM, run by whom, in which schema. */
export interface CommandTarget {
  readonly vm: Vm;
  readonly server: CommandServer;
  readonly schema: VmSchema;
  readonly command: SchemaCommand;
}

/** A command that policy refuses, with all that the audit log says of it. */
export interface RefusedCommand {
  readonly target: CommandTarget;
  readonly decision: Decision;
  readonly args: JsonDocument | undefined;
  readonly problem: Problem;
}

export interface CommandPathParts extends RunningSurroundings {
  readonly registry: VmRegistry;
  readonly policy: Policy;
  readonly audit: AuditLog;
  readonly work: WorkFollower;
  readonly idempotency: IdempotencyStore;
  readonly metrics: CommandMetrics;
  readonly limits: Limits;
  /** A fault of ours: the caller is told nothing of it, the log everything. */
  fault(error: unknown, request: RequestMark): void;
}

const noTrace: CommandTrace = {};

/**
 * The checks and the run of every command, whatever way it came in, in the order of DESIGN section 5: VM, command,
 * JSON, policy, arguments, epoch, VM state and queue. Nothing is sent before all of them passed, nothing is sent twice.
 */
export class CheckedCommandPath implements CommandPath {
  constructor(private readonly parts: CommandPathParts) {}

  execute(request: CommandRequest, answer: (answer: CommandAnswer) => void): void {
    try {
      const { principal, vm, command, agent } = request;
      const server = this.requireServer(principal, vm, agent);
      if (server.schema === undefined && server.arriving) this.#whenKnown(server, request, answer);
      else this.run(this.resolve(principal, vm, command, agent), request, answer);
    } catch (error) {
      this.refuse(request, error, undefined, answer);
    }
  }

  /**
   * The first checks, which need no arguments.
   * @param agent of the guest agent, not of the monitor
   * @throws Problem `vm-not-found`, `route-not-found` (it has no agent), `vm-unavailable` (nothing is known of it yet),
   *   `command-not-found`
   */
  resolve(principal: Principal, vmId: string, name: string, agent = false): CommandTarget {
    const vm = this.requireVm(principal, vmId);
    const server = agent ? requireAgent(vm) : vm;
    const { schema } = server;
    if (schema === undefined) throw unavailable(server, principal, { vm: vm.id, command: name.slice(0, 200) });
    const command = schema.commands.get(name);
    if (command === undefined) throw commandNotFound(vm, schema, name);
    return { vm, server, schema, command };
  }

  /** As `resolve`; undefined while the VM's first session is being made and nothing is known of it. */
  resolveIfKnown(principal: Principal, vmId: string, name: string, agent = false): CommandTarget | undefined {
    const server = this.requireServer(principal, vmId, agent);
    return server.schema === undefined && server.arriving ? undefined : this.resolve(principal, vmId, name, agent);
  }

  /** @throws Problem `vm-not-found` */
  requireVm(principal: Principal, vmId: string): Vm {
    return this.parts.registry.require(principal, vmId);
  }

  /** @throws Problem `vm-not-found`, `route-not-found` */
  requireServer(principal: Principal, vmId: string, agent = false): CommandServer {
    const vm = this.requireVm(principal, vmId);
    return agent ? requireAgent(vm) : vm;
  }

  /**
   * What policy would refuse this with; undefined when it would not.
   * @throws Problem what stands in its way before policy is asked
   */
  refusalOf(request: CommandRequest): RefusedCommand | undefined {
    const target = this.resolve(request.principal, request.vm, request.command, request.agent);
    const { vm, schema, command } = target;
    // Whether it is offered comes first, and is told of each VM.
    if (command.knowledge.offered !== true) return undefined;
    const args = readArguments(request);
    const decision = this.parts.policy.decide(request.principal, schema, command, args?.root, vm);
    if (decision.allowed) return undefined;
    const problem = forbidden(command.name, decision).about({ vm: vm.id, command: command.name });
    return { target, decision, args, problem };
  }

  /** The checks after the route, and the run. */
  run(target: CommandTarget, request: CommandRequest, answer: (answer: CommandAnswer) => void): void {
    let decision: Decision | undefined;
    let given: JsonDocument | undefined;
    try {
      const { vm, schema, command } = target;
      const { offered } = command.knowledge;
      if (request.readOnly === true && command.class !== 'read') throw methodNotAllowed(command, 'GET');
      if (offered !== true) throw new Problem('not-offered', `${command.name}: ${offered.reason}.`);
      const document = readArguments(request);
      const checked = request.arguments.kind === 'query' ? checkQuery(command, request) : undefined;
      given = document ?? queryDocument(checked);
      decision = this.parts.policy.decide(request.principal, schema, command, given?.root, vm, request.ruling);
      if (!decision.allowed) throw forbidden(command.name, decision);
      const { faults: schemaFaults, json: valid } =
        checked ?? validateArguments(command.definition, document, command.validation);
      const faults = [...schemaFaults, ...pastedOptionFaults(schema.origin.kind, command.name, given?.root)];
      if (faults.length > 0) throw invalidArguments(target, given, faults);
      const json = argumentsToSend(schema.origin.kind, command.name, valid);
      this.#checkSize(command, json);
      const deadlineMs = deadlineOf(command, request);
      const sent: FollowedJob =
        request.follow === undefined ? { json, dismiss: false } : followedJob(command, json, schema);
      if (request.dryRun === true) {
        const json64 = dryRunReport(command, sent.json, decision, request.outOfBand === true);
        this.#finish(target, request, decision, given, { ok: true, json: json64, trace: noTrace }, answer);
        return;
      }
      let accepted = decision;
      const read = given;
      const about = { principal: request.principal, schema, command, args: read?.root, vm };
      const check = latePolicy(this.parts.policy, about, (refused) => (accepted = refused));
      const key = this.parts.idempotency.begin(request, json, (stored) => {
        const shown = stillShown(stored, check);
        this.#finish(target, request, accepted, read, shown, answer);
      });
      if (key === undefined) return;
      const tell = (end: CommandEnd) => {
        const result = toAnswer(end, request);
        key.ended(result);
        this.#finish(target, request, accepted, read, result, answer);
      };
      const late = (end: CommandEnd) => {
        const result = toAnswer(end, request);
        key.ended(result);
        const durationMs = performance.now() - request.arrivedAt;
        this.parts.audit.late(request, target, result, this.#workAt(target, result), durationMs);
        request.late?.(result);
      };
      this.#start(asJudged(target, decision), request, sent, deadlineMs, { check, key }, tell, late);
    } catch (error) {
      this.refuse(request, error, target, answer, decision, given);
    }
  }

  #start(
    target: CommandTarget,
    request: CommandRequest,
    { json, dismiss }: FollowedJob,
    deadlineMs: number,
    further: Pick<RunFurther, 'check' | 'key'>,
    tell: (end: CommandEnd) => void,
    late: (end: CommandEnd) => void,
  ): void {
    const { server, command } = target;
    const about = { vm: server.id, command: command.name };
    const refusal = this.parts.audit.refusal ?? this.#stateRefusal(server, request, about);
    if (refusal !== undefined) {
      tell({ problem: refusal.about(about), trace: noTrace });
      return;
    }
    const work = this.#workOf(target, request, json, dismiss);
    const { vm } = target;
    const mayShow = server === vm && vm.display === false && mayBringDisplay(command.name, json);
    const andLook = (told: (end: CommandEnd) => void) => (end: CommandEnd) => {
      told(end);
      if (end.value !== undefined) void vm.lookForDisplay();
    };
    const tellers = mayShow ? ([andLook(tell), andLook(late)] as const) : ([tell, late] as const);
    new RunningCommand(server, command, request, json, this.parts, ...tellers, { ...further, work }).start(deadlineMs);
  }

  /** The work that goes on after the reply; undefined for the many commands that are done with it. */
  #workOf(
    { vm, server, command }: CommandTarget,
    { follow, timeoutMs }: CommandRequest,
    json: string | undefined,
    dismiss: boolean,
  ): CommandWork | undefined {
    const { completion } = command.knowledge;
    // What an agent began, the VM tells: without a session with it nobody would.
    if (completion === undefined || (server !== vm && !vm.ready)) return undefined;
    const options = { dismiss, deadlineMs: follow === undefined ? undefined : timeoutMs };
    return new CommandWork(this.parts.work, vm, completion, json, options, follow !== undefined);
  }

  #stateRefusal(
    server: CommandServer,
    request: CommandRequest,
    about: { vm: string; command: string },
  ): Problem | undefined {
    // A session that is being made will have another epoch than any the caller can know.
    if (request.epoch !== undefined && (server.ready || server.arriving) && request.epoch !== server.epoch)
      return epochChanged(server, about);
    return undefined;
  }

  #checkSize(command: SchemaCommand, json: string | undefined): void {
    const { commandBytes } = this.parts.limits;
    if (json === undefined || json.length + command.name.length < commandBytes / 3) return;
    if (Buffer.byteLength(json) + command.name.length > commandBytes) throw commandTooLarge(commandBytes);
  }

  /** Waits for the first session until the model is known. */
  #whenKnown(server: CommandServer, request: CommandRequest, answer: (answer: CommandAnswer) => void): void {
    const waitMs = request.timeoutMs ?? firstContactMs;
    const again = () => {
      clearTimeout(timer);
      this.execute(request, answer);
    };
    const forget = server.onceChanged(again);
    const timer = setTimeout(
      () => {
        forget();
        const fields = { vm: server.id, command: request.command, outcome: 'not-sent', retryable: true } as const;
        const detail = `The VM was not known within ${waitMs} ms; nothing was sent.`;
        this.refuse(request, new Problem('deadline-exceeded', detail, fields), undefined, answer);
      },
      Math.max(0, request.arrivedAt + waitMs - performance.now()),
    );
  }

  /** Ends a command that is not run: by a check here, or by one of the way it came in. */
  refuse(
    request: CommandRequest,
    error: unknown,
    target: CommandTarget | undefined,
    answer: (answer: CommandAnswer) => void,
    decision?: Decision,
    args?: JsonDocument,
  ): void {
    const { vm, command } = request;
    const problem = asProblem(error).about({
      ...(vm === '*' ? {} : { vm: vm.slice(0, 128) }),
      ...(command === '' ? {} : { command: command.slice(0, 128) }),
    });
    const isOurs = !(error instanceof Problem);
    if (isOurs) this.parts.fault(error, request);
    this.#finish(target, request, decision, args, { ok: false, problem, trace: noTrace }, answer, isOurs);
  }

  /** The one place where a command's answer leaves: told, audited, counted. */
  #finish(
    target: CommandTarget | undefined,
    request: CommandRequest,
    decision: Decision | undefined,
    args: JsonDocument | undefined,
    result: CommandAnswer,
    answer: (answer: CommandAnswer) => void,
    isOurs = false,
  ): void {
    const outcome = result.ok ? 'done' : result.problem.code;
    const durationMs = performance.now() - request.arrivedAt;
    try {
      answer(result);
    } finally {
      const work = target === undefined ? undefined : this.#workAt(target, result);
      const told = { request, target, decision, args, answer: result, work, durationMs, internalFault: isOurs };
      this.parts.audit.command(told);
      this.parts.metrics.command(
        target?.server.kind ?? 'unknown',
        target?.command.name ?? 'unknown',
        outcome,
        durationMs,
        result.trace,
      );
    }
  }

  /** How the work of a command is at its reply. Most commands are done with that, and cost no look-up. */
  #workAt({ vm, server, command }: CommandTarget, { ok, trace }: CommandAnswer): WorkEnd | undefined {
    if (!ok || command.knowledge.completion === undefined || server !== vm || trace.operation === undefined)
      return undefined;
    const work = this.parts.work.store.get(vm.id, trace.operation);
    if (work === undefined) return undefined;
    if (work.over) work.toldAtReply = true;
    return { state: work.record.state, problem: work.problem?.code };
  }
}

const firstContactMs = 10_000;

/** With the class that its arguments gave it: what may be repeated goes by what was sent. */
function asJudged(target: CommandTarget, { class: judged }: Decision): CommandTarget {
  const { command } = target;
  return command.class === judged ? target : { ...target, command: { ...command, class: judged } };
}

/** @throws Problem `route-not-found` for a VM without guest agent */
export function requireAgent(vm: Vm): VmAgent {
  if (vm.agent !== null) return vm.agent;
  throw new Problem('route-not-found', `VM ${vm.id} is registered without a guest agent (agent).`, { vm: vm.id });
}

function readArguments(request: CommandRequest): JsonDocument | undefined {
  if (request.arguments.kind !== 'json') return undefined;
  try {
    return readJson(request.arguments.json);
  } catch (error) {
    throw malformedJson(error);
  }
}

export function commandTooLarge(commandBytes: number): Problem {
  return new Problem('body-too-large', `The encoded command is over ${commandBytes} bytes (limits.commandBytes).`);
}

/** A syntax error of the strict reader, as the problem to answer. */
export function malformedJson(error: unknown): unknown {
  if (!(error instanceof JsonSyntaxError)) return error;
  return new Problem(
    'malformed-json',
    `${error.message} (line ${error.line}, column ${error.column}, offset ${error.offset})`,
  );
}

function checkQuery(command: SchemaCommand, request: CommandRequest): CheckedArguments | undefined {
  if (request.arguments.kind !== 'query') return undefined;
  requireReadableQuery(request.arguments.pairs);
  return argumentsFromQuery(command.definition, request.arguments.pairs, command.validation);
}

function queryDocument(checked: CheckedArguments | undefined): JsonDocument | undefined {
  return checked?.json === undefined ? undefined : readJson(checked.json);
}

function invalidArguments(
  { vm, server, command }: CommandTarget,
  given: JsonDocument | undefined,
  errors: readonly Fault[],
): Problem {
  const count = errors.length === 1 ? 'one fault' : `${errors.length} faults`;
  const detail = `The arguments of ${command.name} do not fit its schema: ${count}, listed in errors.`;
  const members = given?.root.kind === 'object' ? given.root.members.map(({ name }) => name) : [];
  const isUnknown = (name: string) => members.includes(name) && errors.some(({ pointer }) => pointer === `/${name}`);
  if (isUnknown('execute') || isUnknown('exec-oob')) {
    const meant = `POST /v1/vms/${vm.id}/${server === vm ? 'qmp' : 'agent'}`;
    const hint = `The body here is the arguments object alone; a whole QMP message goes to ${meant}.`;
    return new Problem('invalid-arguments', `${detail} ${hint}`, { errors, suggestions: [meant] });
  }
  const hint = isUnknown('arguments') ? ' The body here is the arguments object itself, not one that holds it.' : '';
  return new Problem('invalid-arguments', `${detail}${hint}`, { errors });
}

function deadlineOf(command: SchemaCommand, request: CommandRequest): number {
  const { defaultMs, ceilingMs } = command.knowledge.deadline;
  if (request.timeoutMs === undefined) return defaultMs;
  if (request.timeoutMs > ceilingMs)
    throw new Problem('invalid-request', `timeout: at most ${ceilingMs / 1000} s for ${command.name}.`, {
      errors: [{ pointer: '/timeout', message: `must be at most ${ceilingMs / 1000} s` }],
    });
  return request.timeoutMs;
}

function dryRunReport(
  command: SchemaCommand,
  json: string | undefined,
  decision: Decision,
  outOfBand: boolean,
): string {
  const head = `{"wouldSend":{"${outOfBand ? 'exec-oob' : 'execute'}":${JSON.stringify(command.name)}`;
  return `${head}${json === undefined ? '' : `,"arguments":${json}`}},"class":"${decision.class}"}`;
}

/** A kept answer is given to whoever may have it today: the same principal may have lost a level since. */
function stillShown(stored: CommandAnswer, check: CommandCheck | undefined): CommandAnswer {
  const withheld = stored.ok ? check?.withhold?.(Buffer.from(stored.json)) : undefined;
  return withheld === undefined ? stored : { ok: false, problem: withheld, trace: stored.trace };
}

function toAnswer(end: CommandEnd, request: CommandRequest): CommandAnswer {
  const { value, problem, trace } = end;
  if (problem !== undefined) return { ok: false, problem, trace };
  if (value === undefined) throw new Error('a command ended without value or problem');
  return { ok: true, json: request.int64 === 'string' ? transformBigIntegers(value) : value, trace };
}
