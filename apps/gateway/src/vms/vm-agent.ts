import {
  asObject,
  Monitor,
  parsedJson,
  parseEndpoint,
  systemClock,
  TokenBucket,
  type Clock,
  type Fault,
  type MonitorHost,
  type MonitorOptions,
  type MonitorState,
} from '@qmp-gateway/qmp';
import { CommandQueue } from '../commands/command-queue.js';
import type { CommandServer } from '../commands/command-server.js';
import type { SchemaStore } from '../schemas/schema-store.js';
import { schemaBuilds, type VmSchema } from '../schemas/vm-schema.js';
import type { Limits } from '../settings/settings.js';
import { ChangeWaiters } from './change-waiters.js';
import { ShownState } from './shown-state.js';

export const agentStates = ['connecting', 'ready', 'silent', 'busy', 'waiting'] as const;

/**
 * Where a guest agent is. `silent`: connected, but nobody in the guest answers; `waiting`: no connection; `busy`: others
 * wait for the socket already. It is kept while the agent is dialled again and changes only when that ended differently:
 * most agents are either there or not, and nobody wants to be told every few seconds.
 */
export type AgentState = (typeof agentStates)[number];

/** What the agents of a gateway share. */
export interface AgentSurroundings {
  readonly schemas: SchemaStore;
  readonly limits: Pick<Limits, 'queue'>;
  /** A name for the next session, never given before. */
  nextEpoch(): string;
  /** A fault of ours in handling what an agent said; its session ends. */
  fault(vm: string, error: unknown): void;
}

const infoDeadlineMs = 10_000;

/**
 * The guest agent of a VM: a second connection, independent of the monitor's, with its own queue. That it is not there
 * says nothing about the VM, so it is a state here and never a fault of the VM.
 */
export class VmAgent implements CommandServer, MonitorHost {
  readonly kind = 'guest-agent';
  readonly monitor: Monitor;
  readonly queue: CommandQueue;
  /** What it last said it offers; kept while it is away. */
  schema: VmSchema | undefined;
  epoch: string | null = null;
  readonly #waiters = new ChangeWaiters();
  readonly #shown = new ShownState<AgentState>('connecting', Date.now());
  readonly #clock: Clock;
  readonly #builds: TokenBucket;

  /** @param changed called when what the view shows is different now */
  constructor(
    readonly id: string,
    readonly endpoint: string,
    options: MonitorOptions,
    private readonly surroundings: AgentSurroundings,
    private readonly changed: () => void,
  ) {
    this.queue = new CommandQueue(surroundings.limits);
    this.#clock = options.clock ?? systemClock;
    this.#builds = new TokenBucket(schemaBuilds, this.#clock.now());
    this.monitor = new Monitor(parseEndpoint(endpoint), this, { ...options, dialect: 'guest-agent' });
  }

  get state(): AgentState {
    return this.#shown.name;
  }

  /** Wall-clock milliseconds of the last change of `state`. */
  get since(): number {
    return this.#shown.since;
  }

  /** Why it was away last, told with the time it was first away for that reason. */
  get lastFault(): Fault | null {
    return this.#shown.fault;
  }

  get ready(): boolean {
    return this.state === 'ready' && this.monitor.state.name === 'ready';
  }

  /** One that could not be had is not waited for: its next sign of life may be a boot away. */
  get arriving(): boolean {
    return this.state === 'connecting' && this.monitor.state.name !== 'stopped';
  }

  get condition(): string {
    return this.state === 'silent'
      ? 'Nobody in the guest answers for the guest agent.'
      : `The guest agent is ${this.arriving ? 'not connected yet' : this.state}.`;
  }

  onceChanged(callback: () => void): () => void {
    return this.#waiters.add(callback);
  }

  async stop(): Promise<void> {
    await this.monitor.stop();
    this.queue.refuseAll();
    this.#waiters.wake();
  }

  /** Asks what it is and what it offers: agents differ by build, by guest and by what their operator switched off. */
  async prepare(): Promise<void> {
    const outcome = await this.monitor.run('guest-info', undefined, { deadlineMs: infoDeadlineMs });
    if (outcome.kind !== 'return')
      throw new Error(`guest-info: ${outcome.kind === 'error' ? outcome.desc : outcome.kind}`);
    const { version, enabled } = readGuestInfo(outcome.value);
    const origin = { kind: this.kind, version, package: '' } as const;
    this.schema = await this.surroundings.schemas.fromEnabledCommands(origin, enabled, () =>
      this.#builds.tryTake(this.#clock.now()),
    );
  }

  stateChanged(state: MonitorState): void {
    if (state.name === 'ready') this.epoch = this.surroundings.nextEpoch();
    const next = agentState(state);
    if (next !== undefined) this.#become(next, state.since, 'fault' in state ? state.fault : undefined);
    if (!this.arriving && !this.ready) this.queue.refuseAll();
    this.#waiters.wake();
  }

  event(): void {
    // The guest agent has none.
  }

  place(): void {
    // Whatever it said, it is not silent.
    if (this.monitor.state.name === 'ready') this.#become('ready', Date.now(), undefined);
    this.queue.serve(this.monitor);
  }

  silent(): void {
    this.#become('silent', Date.now(), undefined);
    this.queue.refuseAll();
  }

  failed(error: unknown): void {
    this.surroundings.fault(this.id, error);
  }

  #become(state: AgentState, since: number, fault: Fault | undefined): void {
    if (this.#shown.become(state, since, fault)) this.changed();
  }
}

/** A guest can say what it likes: past these it is no agent. */
const maxCommands = 1000;
const namePattern = /^[A-Za-z0-9_.-]{1,100}$/;

/** @throws Error when it is not an answer to `guest-info` */
function readGuestInfo(json: Buffer): { readonly version: string; readonly enabled: readonly string[] } {
  const { version, supported_commands: commands } = asObject(parsedJson(json)) ?? {};
  if (typeof version !== 'string' || !namePattern.test(version) || !Array.isArray(commands))
    throw new Error('guest-info: not the answer of a guest agent');
  const enabled = commands
    .filter((command): command is { name: string } => isNamed(command) && command['enabled'] === true)
    .map(({ name }) => name);
  if (enabled.length > maxCommands) throw new Error(`guest-info: over ${maxCommands} commands`);
  return { version, enabled };
}

function isNamed(command: unknown): command is Record<string, unknown> & { name: string } {
  const name = asObject(command)?.['name'];
  return typeof name === 'string' && namePattern.test(name);
}

/** Undefined for states on the way to others. */
function agentState(state: MonitorState): AgentState | undefined {
  switch (state.name) {
    case 'ready':
    case 'busy':
      return state.name;
    case 'waiting':
    case 'closed':
      return state.fault.code === 'agent-silent' ? 'silent' : 'waiting';
    default:
      return undefined;
  }
}
