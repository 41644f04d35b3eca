import type { ServerKind } from '@qmp-gateway/catalog';
import {
  isEventName,
  Monitor,
  parseEndpoint,
  shownText,
  systemClock,
  TokenBucket,
  type Health,
  type MonitorHost,
  type MonitorOptions,
  type MonitorState,
  type QmpEvent,
  type SessionInfo,
  type TlsOptions,
} from '@qmp-gateway/qmp';
import { noOwnMonitor, type OwnMonitor } from '../access/own-monitor.js';
import type { VmIdentity } from '../access/principal.js';
import { CommandQueue } from '../commands/command-queue.js';
import type { CommandServer } from '../commands/command-server.js';
import type { SchemaStore } from '../schemas/schema-store.js';
import { schemaBuilds, type VmSchema } from '../schemas/vm-schema.js';
import type { Limits, VmDefinition } from '../settings/settings.js';
import { ChangeWaiters } from './change-waiters.js';
import { RunStateFollower } from './run-state.js';
import { RunStatePoll } from './run-state-poll.js';
import { prepareSession, type Preparation } from './session-preparation.js';
import { VmAgent } from './vm-agent.js';

export type VmSource = 'settings' | 'api' | 'discovery';

/** What a VM tells its surroundings; called synchronously. */
export interface VmObserver {
  /** Anything its view shows, but `inFlight`, is different now. */
  changed(vm: Vm): void;
  /** A session was made: its epoch, schema and state are known. */
  ready(vm: Vm): void;
  event(vm: Vm, event: QmpEvent): void;
  /** An event of that name came that is too large to be told. */
  eventLeftOut(vm: Vm, name: string): void;
  anomaly(vm: Vm, kind: string, detail: string): void;
}

/** What all VMs of a gateway share. */
export interface VmSurroundings {
  readonly observer: VmObserver;
  readonly schemas: SchemaStore;
  readonly monitorOptions: MonitorOptions;
  /** By id of the VM. */
  readonly tls: ReadonlyMap<string, TlsOptions>;
  readonly limits: Pick<Limits, 'queue'>;
  /** A name for the next session, never given before. */
  nextEpoch(): string;
  /** A fault of ours in handling what a VM, or its guest agent, said; its session ends. */
  fault(vm: string, error: unknown): void;
}

/** One VM: its definition, the connection to its monitor, what is known of it, and the commands that wait for it. */
export class Vm implements VmIdentity, CommandServer, MonitorHost {
  readonly monitor: Monitor;
  readonly queue: CommandQueue;
  /** Null when the VM has none. */
  readonly agent: VmAgent | null;
  /** Odd bytes from the VM, counted by kind. */
  readonly anomalies = new Map<string, number>();
  /** Kept while the VM is away, so that requests are checked before they are refused. */
  schema: VmSchema | undefined;
  kind: ServerKind | null = null;
  version: string | null = null;
  package: string | null = null;
  name: string | null = null;
  uuid: string | null = null;
  /** Kept from the last session, as the schema is. */
  ownMonitor: OwnMonitor = noOwnMonitor;
  /** Name of the present session, or of the last one. */
  epoch: string | null = null;
  capabilities: readonly string[] = [];

  readonly #surroundings: VmSurroundings;
  readonly #runState = new RunStateFollower();
  readonly #poll: RunStatePoll;
  readonly #waiters = new ChangeWaiters();
  #definition: VmDefinition;
  #followed: string | null = null;
  #preparation: Preparation | undefined;
  readonly #schemaBuilds: TokenBucket;
  #epochs = new WeakMap<SessionInfo, string>();

  constructor(
    readonly id: string,
    definition: VmDefinition,
    readonly source: VmSource,
    surroundings: VmSurroundings,
  ) {
    this.#definition = definition;
    this.#surroundings = surroundings;
    this.queue = new CommandQueue(surroundings.limits);
    this.#schemaBuilds = new TokenBucket(schemaBuilds, (surroundings.monitorOptions.clock ?? systemClock).now());
    const tls = definition.tls === undefined ? undefined : surroundings.tls.get(id);
    const options: MonitorOptions = {
      ...surroundings.monitorOptions,
      insecure: definition.insecure ?? false,
      ...(tls === undefined ? {} : { tls }),
    };
    this.monitor = new Monitor(parseEndpoint(definition.endpoint), this, { ...options, dialect: definition.kind });
    this.agent =
      definition.agent === undefined
        ? null
        : new VmAgent(id, definition.agent, options, surroundings, () => surroundings.observer.changed(this));
    this.#poll = new RunStatePoll(
      this.monitor,
      this.queue,
      (runState) => this.#learned(runState),
      surroundings.monitorOptions.clock,
    );
  }

  get definition(): VmDefinition {
    return this.#definition;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#definition.labels;
  }

  get health(): Health | null {
    return this.monitor.health;
  }

  get inFlight(): number {
    return this.monitor.inFlight;
  }

  /** QAPI RunState; null unless ready. */
  get runState(): string | null {
    return this.ready ? this.#followed : null;
  }

  get ready(): boolean {
    return this.monitor.state.name === 'ready';
  }

  get stopped(): boolean {
    return this.monitor.state.name === 'stopped';
  }

  /** True while it is worth waiting: a session is being made. */
  get arriving(): boolean {
    const { name } = this.monitor.state;
    return name === 'connecting' || name === 'negotiating' || name === 'idle';
  }

  get condition(): string {
    if (this.stopped) return 'The gateway has let go of the VM.';
    return `The VM is ${this.arriving ? 'not connected yet' : this.monitor.state.name}.`;
  }

  start(): void {
    this.monitor.start();
    this.agent?.monitor.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.monitor.stop(), this.agent?.stop()]);
    this.queue.refuseAll();
    this.#waiters.wake();
  }

  /** A definition that differs in nothing the session depends on: labels, `hostCommands`. */
  redefine(definition: VmDefinition): void {
    this.#definition = definition;
    this.#surroundings.observer.changed(this);
  }

  /**
   * Calls back once, at the next change of state.
   * @returns a function that takes the wish back
   */
  onceChanged(callback: () => void): () => void {
    return this.#waiters.add(callback);
  }

  async prepare(session: SessionInfo): Promise<void> {
    const before = this.uuid;
    const clock = this.#surroundings.monitorOptions.clock ?? systemClock;
    const preparation = await prepareSession(this.monitor, session, this.#surroundings.schemas, {
      endpoint: parseEndpoint(this.#definition.endpoint),
      wanted: this.#definition.kind,
      mayBuild: () => this.#schemaBuilds.tryTake(clock.now()),
      statusKnown: (runState) => (this.#followed = runState),
      odd: (kind, detail) => this.anomaly(kind, detail),
    });
    this.#preparation = preparation;
    if (before !== null && preparation.uuid !== null && before !== preparation.uuid)
      this.anomaly('other-uuid', `another VM answers at this endpoint: uuid was ${before}`);
  }

  stateChanged(state: MonitorState): void {
    if (state.name === 'ready') this.#adopt(state.session);
    else if (state.name !== 'negotiating') this.#followed = null;
    if (state.name === 'ready' && state.session.dialect === 'stratovirt') this.#poll.start();
    else this.#poll.stop();
    this.#surroundings.observer.changed(this);
    if (state.name === 'ready') this.#surroundings.observer.ready(this);
    if (!this.arriving && !this.ready) this.queue.refuseAll();
    this.#waiters.wake();
  }

  healthChanged(): void {
    this.#surroundings.observer.changed(this);
  }

  event(event: QmpEvent, session: SessionInfo): void {
    this.#beginEpoch(session);
    if (!isEventName(event.name)) this.anomaly('odd-event-name', shownText(event.name));
    this.#surroundings.observer.event(this, event);
    // Before the session's query-status nothing is known that an event could change.
    if (this.#followed === null) return;
    const runState = this.#runState.next(this.#followed, event);
    if (runState === this.#followed) return;
    this.#followed = runState;
    this.#surroundings.observer.changed(this);
  }

  eventLeftOut(name: string, session: SessionInfo): void {
    this.#beginEpoch(session);
    this.#surroundings.observer.eventLeftOut(this, name);
  }

  place(): void {
    this.queue.serve(this.monitor);
  }

  anomaly(kind: string, detail: string): void {
    this.anomalies.set(kind, (this.anomalies.get(kind) ?? 0) + 1);
    this.#surroundings.observer.anomaly(this, kind, detail);
  }

  failed(error: unknown): void {
    this.#surroundings.fault(this.id, error);
  }

  /** A session has its name from its first event or its readiness on, whichever comes first. */
  #beginEpoch(session: SessionInfo): void {
    let epoch = this.#epochs.get(session);
    if (epoch === undefined) {
      epoch = this.#surroundings.nextEpoch();
      this.#epochs.set(session, epoch);
    }
    this.epoch = epoch;
  }

  #adopt(session: SessionInfo): void {
    const prepared = this.#preparation;
    if (prepared === undefined) throw new Error('ready without preparation');
    this.#preparation = undefined;
    this.#beginEpoch(session);
    this.capabilities = session.oob ? ['oob'] : [];
    this.package = session.greeting?.package ?? null;
    this.schema = prepared.schema;
    this.kind = prepared.kind;
    this.version = prepared.version;
    this.name = prepared.name;
    this.uuid = prepared.uuid;
    this.ownMonitor = prepared.ownMonitor;
  }

  /** The VM was asked, and said this. */
  #learned(runState: string): void {
    if (this.#followed === null || this.#followed === runState) return;
    this.#followed = runState;
    this.anomaly('event-missed', `the VM is ${runState}, and no event said so`);
    this.#surroundings.observer.changed(this);
  }
}
