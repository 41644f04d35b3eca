import type { JsonDocument } from '@qmp-gateway/qapi';
import { forbidden, type Decision, type Policy } from '../access/policy/policy.js';
import type { Principal } from '../access/principal.js';
import { CommandWork } from '../operations/command-work.js';
import { followedJob } from '../operations/job-following.js';
import type { WorkFollower } from '../operations/work-follower.js';
import { invalid } from '../http/resource/read-shape.js';
import { Problem } from '../problems/problem.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';
import type { Limits } from '../settings/settings.js';
import type { CommandServer } from '../vms/command-server.js';
import { mayBringDisplay } from '../vms/display.js';
import { unavailable } from '../vms/unavailable.js';
import type { VmAgent } from '../vms/vm-agent.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import type { Vm } from '../vms/vm.js';
import { readArguments, readRunArguments, requireSize, validArguments } from './command-arguments.js';
import type { CommandCheck } from './command-check.js';
import { commandNotFound } from './command-not-found.js';
import { CommandRecords, type RecordParts } from './command-records.js';
import type { CommandAnswer, CommandAsker, CommandPath, CommandRequest } from './command-request.js';
import { CommandRun } from './command-run.js';
import type { CommandsElsewhere } from './commands-elsewhere.js';
import type { CommandTarget } from './command-target.js';
import { DeadlineWheel } from './deadline-wheel.js';
import type { IdempotencyStore } from './idempotency.js';
import { descriptorRefusal } from '../vms/descriptor-passage.js';
import { descriptorUse, withQuestion } from './descriptor-use.js';
import { latePolicy } from './late-policy.js';
import { methodNotAllowed } from './method-not-allowed.js';
import { epochChanged, RunningCommand, type RunningSurroundings } from './running-command.js';

/** What is known about a refused command, for the audit log. */
export interface RefusedParts {
  readonly target?: CommandTarget | undefined;
  readonly decision?: Decision | undefined;
  readonly document?: JsonDocument | undefined;
}

/** A command that policy refuses. */
export interface RefusedCommand extends RefusedParts {
  readonly target: CommandTarget;
  readonly decision: Decision;
  readonly problem: Problem;
}

export interface CommandPathParts extends RecordParts {
  readonly registry: Pick<VmRegistry, 'require'>;
  readonly policy: Policy;
  readonly work: WorkFollower;
  readonly idempotency: IdempotencyStore;
  readonly limits: Pick<Limits, 'commandBytes'>;
  /** Without a fleet there is none. */
  readonly elsewhere?: CommandsElsewhere | undefined;
  /** The position of the newest event. */
  eventCursor(): string;
}

const firstContactMs = 10_000;

/**
 * Checks and runs every command, however it came in, in this order: VM, command, JSON, policy, arguments,
 * epoch, VM state and queue. Nothing is sent before all of them passed, nothing is sent twice.
 */
export class CheckedCommandPath implements CommandPath {
  readonly #records: CommandRecords;
  readonly #surroundings: RunningSurroundings;

  constructor(private readonly parts: CommandPathParts) {
    this.#records = new CommandRecords(parts);
    const { operations, clock } = parts;
    const deadlines = new DeadlineWheel(clock);
    this.#surroundings = { operations, clock, deadlines, eventCursor: () => parts.eventCursor() };
  }

  execute(request: CommandRequest, asker: CommandAsker): void {
    if (this.parts.elsewhere?.execute(request, asker) === true) return;
    this.#find(new CommandRun(request, asker, this.#records));
  }

  /** The checks after the route, and the run. */
  run(target: CommandTarget, request: CommandRequest, asker: CommandAsker): void {
    const run = new CommandRun(request, asker, this.#records);
    run.target = target;
    this.#run(run);
  }

  /** Ends a command that will not be run. */
  refuse(request: CommandRequest, asker: CommandAsker, error: unknown, known: RefusedParts = {}): void {
    const run = new CommandRun(request, asker, this.#records);
    run.target = known.target;
    run.decision = known.decision;
    run.document = known.document;
    run.refuse(error);
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
    if (schema === undefined)
      throw unavailable(server, principal, { vm: vm.id, command: name.slice(0, 200) }, this.parts.clock);
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
   * The problem with which policy would refuse this; undefined if it would not.
   * @throws Problem whatever refuses it before policy is asked
   */
  refusalOf(request: CommandRequest): RefusedCommand | undefined {
    const target = this.resolve(request.principal, request.vm, request.command, request.agent);
    const { vm, command } = target;
    // Whether it is offered is checked first, and said for each VM.
    if (command.knowledge.offered !== true) return undefined;
    const document = readArguments(request.arguments);
    const decision = this.parts.policy.decide(request.principal, target, document?.root, request.ruling);
    if (decision.allowed) return undefined;
    const problem = forbidden(command.name, decision).about({ vm: vm.id, command: command.name });
    return { target, decision, document, problem };
  }

  /** Finds the command once it is known what the VM offers. */
  #find(run: CommandRun): void {
    const { principal, vm, command, agent } = run.request;
    try {
      run.target = this.resolveIfKnown(principal, vm, command, agent);
      if (run.target === undefined) this.#whenKnown(this.requireServer(principal, vm, agent), run);
      else this.#run(run);
    } catch (error) {
      run.refuse(error);
    }
  }

  /** Waits for the first session until the model is known. */
  #whenKnown(server: CommandServer, run: CommandRun): void {
    const { clock } = this.parts;
    const { timeoutMs, arrivedAt, command } = run.request;
    const waitMs = timeoutMs ?? firstContactMs;
    const forget = server.onceChanged(() => {
      timer.cancel();
      this.#find(run);
    });
    const timer = clock.schedule(Math.max(0, arrivedAt + waitMs - clock.now()), () => {
      forget();
      const fields = { vm: server.id, command, outcome: 'not-sent', retryable: true } as const;
      const detail = `The VM was not known within ${waitMs} ms; nothing was sent.`;
      run.refuse(new Problem('deadline-exceeded', detail, fields));
    });
  }

  #run(run: CommandRun): void {
    try {
      this.#check(run);
      if (run.request.dryRun === true) run.finishUnsent(dryRunReport(run));
      else this.#begin(run);
    } catch (error) {
      run.refuse(error);
    }
  }

  /** All checks that need only the request and what is known about the VM. @throws Problem */
  #check(run: CommandRun): void {
    const { request, found: target } = run;
    const { command } = target;
    const { offered } = command.knowledge;
    if (request.readOnly === true && command.class !== 'read') throw methodNotAllowed(command, 'GET');
    if (offered !== true) requireDescriptor(run, offered.reason);
    const checked = readRunArguments(run);
    const root = run.document?.root;
    const decision = this.parts.policy.decide(request.principal, target, root, request.ruling);
    run.decision = decision;
    if (!decision.allowed) throw forbidden(command.name, decision);
    run.json = validArguments(run, checked);
    requireSize(command.name, run.json, this.parts.limits.commandBytes);
    run.deadlineMs = deadlineOf(command, request);
  }

  /** The checks that claim something, and the run. @throws Problem */
  #begin(run: CommandRun): void {
    const { request, found: target } = run;
    const uses = descriptorUse(run);
    run.descriptorUse = uses?.use;
    run.check = withQuestion(latePolicy(this.parts.policy, run), uses?.question);
    const claim = this.parts.idempotency.begin(request, run.json);
    if (claim?.kind === 'replay') {
      run.finish(stillShown(claim.answer, run.check));
      return;
    }
    run.key = claim?.key;
    const { server, command } = target;
    const refusal = this.parts.audit.refusal ?? stateRefusal(server, request, command);
    if (refusal !== undefined) {
      run.ended(refusal.about({ vm: server.id, command: command.name }), {});
      return;
    }
    this.#start(run);
  }

  #start(run: CommandRun): void {
    const { request, found: target } = run;
    if (request.follow !== undefined) {
      const { json, dismiss } = followedJob(target.command, run.json, target.schema);
      run.json = json;
      run.dismiss = dismiss;
    }
    const { vm, server, command } = target;
    run.mayBringDisplay = server === vm && vm.display === false && mayBringDisplay(command.name, run.json);
    run.target = asJudged(target, run.decision);
    const running = new RunningCommand(run, this.#surroundings, this.#workOf(run));
    run.isRunning = true;
    running.start();
  }

  /** The work that goes on after the reply; undefined for the many commands that are finished by then. */
  #workOf({ found: { vm, server, command }, request, json: args, dismiss }: CommandRun): CommandWork | undefined {
    const { completion } = command.knowledge;
    // The VM reports what its agent began: without a session with the VM nobody would.
    if (completion === undefined || (server !== vm && !vm.ready)) return undefined;
    const isFollowed = request.follow !== undefined;
    const deadlineMs = isFollowed ? request.timeoutMs : undefined;
    return new CommandWork(this.parts.work, { vm, completion, args, dismiss, deadlineMs, isFollowed });
  }
}

/** Of a command that is offered only with a descriptor. @throws Problem `not-offered` where none came, or none can be passed */
function requireDescriptor({ request, found: { vm, command } }: CommandRun, reason: string): void {
  const { descriptors } = request;
  if (command.knowledge.takesDescriptor !== true || descriptors === undefined) {
    const isElsewhere = command.knowledge.takesDescriptor === true && request.entrance !== 'monitor';
    const hint = isElsewhere ? ` POST /v1/vms/${vm.id}/fds opens a file of the host and passes it.` : '';
    throw new Problem('not-offered', `${command.name}: ${reason}.${hint}`);
  }
  if (descriptors.length === 0) throw new Problem('not-offered', `${command.name}: no file descriptor came with it.`);
  const refusal = descriptorRefusal(vm);
  if (refusal !== undefined) throw new Problem('not-offered', refusal);
}

/** With the class that its arguments gave it: whether it may be repeated depends on what was sent. */
function asJudged(target: CommandTarget, decision: Decision | undefined): CommandTarget {
  const { command } = target;
  if (decision === undefined || command.class === decision.class) return target;
  return { ...target, command: { ...command, class: decision.class } };
}

/** @throws Problem `route-not-found` for a VM without guest agent */
export function requireAgent(vm: Vm): VmAgent {
  if (vm.agent !== null) return vm.agent;
  throw new Problem(
    'route-not-found',
    `VM ${vm.id} is registered without a guest agent: name its socket as agent, in the settings or by PUT /v1/vms/${vm.id}.`,
    { vm: vm.id },
  );
}

function stateRefusal(server: CommandServer, request: CommandRequest, command: SchemaCommand): Problem | undefined {
  // A session that is being made will have another epoch than any the caller can know.
  if (request.epoch === undefined || request.epoch === server.epoch) return undefined;
  if (!server.ready && !server.arriving) return undefined;
  return epochChanged(server, { vm: server.id, command: command.name });
}

function deadlineOf(command: SchemaCommand, request: CommandRequest): number {
  const { defaultMs, ceilingMs } = command.knowledge.deadline;
  if (request.timeoutMs === undefined) return defaultMs;
  if (request.timeoutMs > ceilingMs)
    throw tooLong(request, `must be at most ${ceilingMs / 1000} s for ${command.name}`);
  return request.timeoutMs;
}

function tooLong({ timeoutIn }: CommandRequest, message: string): Problem {
  if (timeoutIn !== undefined)
    return invalid(timeoutIn, [{ pointer: timeoutIn === 'query' ? '/timeout' : '/Request-Timeout', message }]);
  return new Problem('invalid-request', `timeout ${message}.`, { errors: [{ pointer: '/timeout', message }] });
}

/** What would be sent. */
function dryRunReport({ found: { command, schema }, request, json, decision }: CommandRun): string {
  const sent = request.follow === undefined ? json : followedJob(command, json, schema).json;
  const head = `{"wouldSend":{"${request.outOfBand === true ? 'exec-oob' : 'execute'}":${JSON.stringify(command.name)}`;
  return `${head}${sent === undefined ? '' : `,"arguments":${sent}`}},"class":"${decision?.class ?? command.class}"}`;
}

/** A kept answer goes only to those who may have it now: the same principal may have lost a level since. */
function stillShown(stored: CommandAnswer, check: CommandCheck | undefined): CommandAnswer {
  const withheld = stored.ok ? check?.withhold?.(Buffer.from(stored.json)) : undefined;
  return withheld === undefined ? stored : { ok: false, problem: withheld, trace: stored.trace };
}
