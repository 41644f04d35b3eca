import { agentKind, serverKinds } from '@qmp-gateway/catalog';
import {
  asObject,
  Monitor,
  parsedJson,
  parseEndpoint,
  systemClock,
  TokenBucket,
  type Clock,
  type LastError,
  type MonitorHost,
  type MonitorOptions,
  type MonitorState,
} from '@qmp-gateway/qmp';
import { CommandQueue } from './command-queue.js';
import type { CommandServer } from './command-server.js';
import type { SchemaBuilder, SchemaStore } from '../schemas/schema-store.js';
import { valueOf } from './own-queries.js';
import { schemaBuilds, type VmSchema } from '../schemas/vm-schema.js';
import type { Limits } from '../settings/settings.js';
import type { Epochs } from './epochs.js';
import { ChangeWaiters } from './change-waiters.js';
import { ShownVmState } from './shown-state.js';

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
  readonly epochs: Epochs;
}

/** The VM that an agent is in. */
export interface AgentOwner {
  readonly id: string;
  /** What the view shows of the agent is different now. */
  agentChanged(): void;
  /** The gateway failed in handling what the agent said; the agent's session ends. */
  agentFailed(error: unknown): void;
}

const infoDeadlineMs = 10_000;

/**
 * The guest agent of a VM: a second connection, independent of the monitor's, with its own queue. That it is not there
 * says nothing about the VM, so it is a state here and never an error of the VM.
 */
export class VmAgent implements CommandServer, MonitorHost, SchemaBuilder {
  readonly kind = agentKind;
  readonly monitor: Monitor;
  readonly queue: CommandQueue;
  /** What it last said it offers; kept while it is away. */
  schema: VmSchema | undefined;
  epoch: string | null = null;
  readonly #waiters = new ChangeWaiters();
  readonly #shown: ShownVmState<AgentState>;
  readonly #clock: Clock;
  readonly #builds: TokenBucket;

  constructor(
    private readonly owner: AgentOwner,
    readonly endpoint: string,
    options: MonitorOptions,
    private readonly surroundings: AgentSurroundings,
  ) {
    this.queue = new CommandQueue(surroundings.limits);
    this.#clock = options.clock ?? systemClock;
    this.#shown = new ShownVmState<AgentState>('connecting', this.#clock.wall());
    this.#builds = new TokenBucket(schemaBuilds, this.#clock.now());
    this.monitor = new Monitor(parseEndpoint(endpoint), this, {
      ...options,
      dialect: serverKinds[agentKind].dialect,
    });
  }

  /** Of its VM. */
  get id(): string {
    return this.owner.id;
  }

  get state(): AgentState {
    return this.#shown.name;
  }

  /** Wall-clock milliseconds of the last change of `state`. */
  get since(): number {
    return this.#shown.since;
  }

  /** Why it was away last, told with the time it was first away for that reason. */
  get lastError(): LastError | null {
    return this.#shown.lastError;
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
    const { version, enabled } = readGuestInfo(valueOf('guest-info', outcome));
    const origin = { kind: this.kind, version, package: '' } as const;
    this.schema = await this.surroundings.schemas.fromEnabledCommands(origin, enabled, this);
  }

  mayBuildSchema(): boolean {
    return this.#builds.tryTake(this.#clock.now());
  }

  stateChanged(state: MonitorState): void {
    if (state.name === 'ready') this.epoch = this.surroundings.epochs.next();
    const next = agentState(state);
    if (next !== undefined) this.#become(next, state.since, 'lastError' in state ? state.lastError : undefined);
    if (!this.arriving && !this.ready) this.queue.refuseAll();
    this.#waiters.wake();
  }

  event(): void {
    // The guest agent has none.
  }

  place(): void {
    // Whatever it said, it is not silent.
    if (this.monitor.state.name === 'ready') this.#become('ready', this.#clock.wall(), undefined);
    this.queue.serve(this.monitor);
  }

  silent(): void {
    this.#become('silent', this.#clock.wall(), undefined);
    this.queue.refuseAll();
  }

  failed(error: unknown): void {
    this.owner.agentFailed(error);
  }

  #become(state: AgentState, since: number, lastError: LastError | undefined): void {
    if (this.#shown.become(state, since, lastError)) this.owner.agentChanged();
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
      return state.lastError.code === 'agent-silent' ? 'silent' : 'waiting';
    default:
      return undefined;
  }
}
