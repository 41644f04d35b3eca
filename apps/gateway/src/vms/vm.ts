import { serverKinds, type ServerKind } from '@qmp-gateway/catalog';
import {
  isEventName,
  Monitor,
  parseEndpoint,
  shownText,
  systemClock,
  TokenBucket,
  type Clock,
  type LastError,
  type Health,
  type MonitorHost,
  type MonitorOptions,
  type MonitorState,
  type MonitorStateName,
  type Settlement,
  type QmpEvent,
  type SessionInfo,
  type TlsOptions,
} from '@qmp-gateway/qmp';
import { noOwnMonitor, type OwnMonitor } from '../access/policy/own-monitor.js';
import type { VmIdentity } from '../access/principal.js';
import { answerThroughQueue } from './query-through-queue.js';
import { CommandQueue } from './command-queue.js';
import type { CommandServer } from './command-server.js';
import type { SchemaStore } from '../schemas/schema-store.js';
import { schemaBuilds, type VmSchema } from '../schemas/vm-schema.js';
import type { Limits } from '../settings/settings.js';
import type { VmDefinition } from '../settings/vm-definition.js';
import type { Epochs } from './epochs.js';
import { ChangeWaiters } from './change-waiters.js';
import { hasDisplay } from './display.js';
import { PassedDescriptors } from './passed-descriptors.js';
import { RunStateGuess } from './run-state.js';
import { RunStateWatch, type RunStateListener } from './run-state-watch.js';
import { isDialledAgain, ShownVmState } from './shown-state.js';
import { prepareSession, type Preparation, type PreparedVm } from './session-preparation.js';
import { VmAgent, type AgentOwner } from './vm-agent.js';
import type { VmSource, WantedVm } from './wanted-vm.js';

/** Is told what happens to VMs. Every method is called synchronously and must not throw. */
export interface VmObserver {
  /** The VM is there; nothing was dialled for it yet. */
  added?(vm: Vm): void;
  /** The VM is forgotten, its session over. */
  removed?(vm: Vm): void;
  /** The VM, or the one that takes its place, will have these labels. */
  relabelling?(vm: Vm, labels: Readonly<Record<string, string>>): void;
  /** Anything its view shows, but `inFlight`, may be different now. */
  changed?(vm: Vm): void;
  /** A session was made: its epoch, schema and state are known. */
  ready?(vm: Vm): void;
  /** In the order the VM wrote them. */
  event?(vm: Vm, event: QmpEvent): void;
  /** An event of that name came that is too large to be kept. */
  eventLeftOut?(vm: Vm, name: string): void;
  /** The VM did something odd. @param kind one of few */
  anomaly?(vm: Vm, kind: string, detail: string): void;
  /** Something that its operator should change; called once for each definition. */
  caution?(vm: Vm, message: string): void;
  /** The gateway failed in handling what the VM, or its guest agent, said; that session ends. */
  failed?(vm: Vm, error: unknown): void;
}

/** What all VMs of a gateway share. */
export interface VmSurroundings {
  readonly observer: Required<VmObserver>;
  readonly schemas: SchemaStore;
  readonly monitorOptions: MonitorOptions;
  /** By id of the VM. */
  readonly tls: ReadonlyMap<string, TlsOptions>;
  readonly limits: Pick<Limits, 'queue'>;
  readonly epochs: Epochs;
}

/** One VM: its definition, the connection to its monitor, what is known of it, and the commands that wait for it. */
export class Vm implements VmIdentity, CommandServer, MonitorHost, PreparedVm, AgentOwner, RunStateListener {
  readonly monitor: Monitor;
  readonly queue: CommandQueue;
  /** Null when the VM has none. */
  readonly agent: VmAgent | null;
  /** Odd bytes from the VM, counted by kind. */
  readonly anomalies = new Map<string, number>();
  readonly passed = new PassedDescriptors();
  /** Kept while the VM is away, so that requests are checked before they are refused. */
  schema: VmSchema | undefined;
  kind: ServerKind | null = null;
  version: string | null = null;
  package: string | null = null;
  name: string | null = null;
  uuid: string | null = null;
  /** Whether it shows anything a picture could be taken of; null where that is not known. */
  display: boolean | null = null;
  /** A reset is the end of this machine (StratoVirt's microVM); null where that is not known. */
  resetEnds: boolean | null = null;
  /** Kept from the last session, as the schema is. */
  ownMonitor: OwnMonitor = noOwnMonitor;
  secretProperties: ReadonlySet<string> = new Set();
  /** Name of the present session, or of the last one. */
  epoch: string | null = null;
  capabilities: readonly string[] = [];

  readonly #surroundings: VmSurroundings;
  readonly #clock: Clock;
  readonly #shown: ShownVmState<MonitorStateName>;
  #retryAt: number | null = null;
  readonly #guess = new RunStateGuess();
  readonly #watch: RunStateWatch;
  readonly #waiters = new ChangeWaiters();
  #definition: VmDefinition;
  /** What the VM said last, or events since; null where it was not asked in this session, or has no such state. */
  #runState: string | null = null;
  #preparation: Preparation | undefined;
  /** A session was negotiated, and the VM is asked what it offers. */
  #preparing = false;
  #cautioned = false;
  readonly #schemaBuilds: TokenBucket;
  #epochs = new WeakMap<SessionInfo, string>();
  readonly source: VmSource;
  readonly lease: number | undefined;

  constructor(
    readonly id: string,
    { definition, source, lease }: WantedVm,
    surroundings: VmSurroundings,
  ) {
    this.source = source;
    this.lease = lease;
    this.#definition = definition;
    this.#surroundings = surroundings;
    this.queue = new CommandQueue(surroundings.limits);
    this.#clock = surroundings.monitorOptions.clock ?? systemClock;
    this.#schemaBuilds = new TokenBucket(schemaBuilds, this.#clock.now());
    const tls = definition.tls === undefined ? undefined : surroundings.tls.get(id);
    const { insecure = false } = definition;
    const options = { ...surroundings.monitorOptions, insecure, ...(tls === undefined ? {} : { tls }) };
    const { endpoint, agent, anchors = {} } = definition;
    this.monitor = new Monitor(parseEndpoint(endpoint), this, {
      ...anchoredAt(options, anchors.endpoint),
      dialect: definition.kind === 'auto' ? 'auto' : serverKinds[definition.kind].dialect,
    });
    this.#shown = new ShownVmState<MonitorStateName>(this.monitor.state.name, this.monitor.state.since);
    this.agent =
      agent === undefined ? null : new VmAgent(this, agent, anchoredAt(options, anchors.agent), surroundings);
    this.#watch = new RunStateWatch(this.monitor, this.queue, this, this.#clock);
  }

  get definition(): VmDefinition {
    return this.#definition;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#definition.labels;
  }

  /** As it is shown: unlike that of the monitor it stays while a VM that can't be had is dialled again. */
  get state(): MonitorStateName {
    return this.#shown.name;
  }

  /** Wall-clock milliseconds of the last change of `state`. */
  get since(): number {
    return this.#shown.since;
  }

  /** The latest reason for having no session, with the time it was first that reason; kept while ready. */
  get lastError(): LastError | null {
    return this.#shown.lastError;
  }

  /** Wall-clock milliseconds of the first dial since it is shown like this; later ones change nothing. Null without one. */
  get retryAt(): number | null {
    return this.#retryAt;
  }

  get health(): Health | null {
    return this.monitor.health;
  }

  get inFlight(): number {
    return this.monitor.inFlight;
  }

  /** QAPI RunState; null unless ready. */
  get runState(): string | null {
    return this.ready ? this.#runState : null;
  }

  get ready(): boolean {
    return this.monitor.state.name === 'ready';
  }

  get stopped(): boolean {
    return this.monitor.state.name === 'stopped';
  }

  /**
   * True while it is worth waiting: the first session is being made, or one was negotiated and is ready in a moment. A VM
   * that could not be had is not waited for while it is dialled again.
   */
  get arriving(): boolean {
    return this.#preparing || this.state === 'connecting' || this.state === 'negotiating' || this.state === 'idle';
  }

  get condition(): string {
    if (this.stopped) return 'The gateway has let go of the VM.';
    return `The VM is ${this.arriving ? 'not connected yet' : this.state}.`;
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

  /**
   * Asks anew whether it has a display: one may have been plugged in.
   * @returns what is known then; as before when the VM does not answer
   */
  async lookForDisplay(): Promise<boolean | null> {
    const { epoch, schema } = this;
    if (schema === undefined || !this.ready) return this.display;
    const settlements: Settlement[] = [];
    const shown = await hasDisplay(async (command, json) => {
      const settlement = await answerThroughQueue(this.queue, this.monitor, command, json);
      settlements.push(settlement);
      return settlement.kind === 'return' ? settlement.value : undefined;
    }, schema.model);
    const answered = settlements.every(({ kind }) => kind === 'return' || kind === 'error');
    if (answered && this.epoch === epoch) this.displaySeen(shown);
    return this.display;
  }

  /** It is now known. */
  displaySeen(display: boolean | null): void {
    if (display === this.display) return;
    this.display = display;
    this.#surroundings.observer.changed(this);
  }

  async prepare(session: SessionInfo): Promise<void> {
    this.#preparing = true;
    const before = this.uuid;
    const preparation = await prepareSession(session, this, this.#surroundings.schemas);
    this.#preparation = preparation;
    if (before !== null && preparation.uuid !== null && before !== preparation.uuid)
      this.anomaly('other-uuid', `another VM answers at this endpoint: uuid was ${before}`);
  }

  mayBuildSchema(): boolean {
    return this.#schemaBuilds.tryTake(this.#clock.now());
  }

  statusKnown(runState: string | null): void {
    this.#runState = runState;
  }

  stateChanged(state: MonitorState): void {
    if (state.name !== 'negotiating') this.#preparing = false;
    if (state.name === 'ready') this.#adopt(state.session);
    else if (state.name !== 'negotiating') this.#runState = null;
    if (state.name === 'ready' && this.#runState !== null) this.#watch.start(this.#runState, this.#losesEvents);
    else this.#watch.stop();
    this.#show(state);
    if (state.name === 'ready') {
      this.#surroundings.observer.ready(this);
      this.#cautionOfTcp();
    }
    if (!this.arriving && !this.ready) this.queue.refuseAll();
    this.#waiters.wake();
  }

  healthChanged(): void {
    // That there is none any more is told with the end of the session.
    if (this.ready) this.#surroundings.observer.changed(this);
  }

  event(event: QmpEvent, session: SessionInfo): void {
    this.#beginEpoch(session);
    if (!isEventName(event.name)) this.anomaly('odd-event-name', shownText(event.name));
    this.#surroundings.observer.event(this, event);
    // Before the session's query-status nothing is known that an event could change.
    if (this.#runState === null) return;
    const guess = this.#guess.next(this.#runState, event);
    if (guess === undefined) return;
    this.#become(guess);
    this.#watch.event(guess);
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
    this.#surroundings.observer.failed(this, error);
  }

  agentChanged(): void {
    this.#surroundings.observer.changed(this);
  }

  agentFailed(error: unknown): void {
    this.failed(error);
  }

  /** Elsewhere than where events can fail to come, a change without one is no oddity: QEMU has some. */
  runStateLearned(runState: string, polled: boolean): void {
    if (this.#runState === null || this.#runState === runState) return;
    if (polled && this.#losesEvents) this.anomaly('event-missed', `the VM is ${runState}, and no event said so`);
    this.#become(runState);
  }

  /** A session gets its name with its first event or when it is ready, whichever comes first. */
  #beginEpoch(session: SessionInfo): void {
    let epoch = this.#epochs.get(session);
    if (epoch === undefined) {
      epoch = this.#surroundings.epochs.next(this.lease);
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
    this.secretProperties = prepared.secretProperties;
    this.display = prepared.display;
    this.resetEnds = prepared.resetEnds;
  }

  #show(state: MonitorState): void {
    if (isDialledAgain(state, this.state)) return;
    if (!this.#shown.become(state.name, state.since, 'lastError' in state ? state.lastError : undefined)) return;
    this.#retryAt = 'retryAt' in state ? state.retryAt : null;
    this.#surroundings.observer.changed(this);
  }

  /** We reset such connections, but who kills the gateway, or a proxy in between, may end them. */
  #cautionOfTcp(): void {
    const caution = this.kind === null ? null : serverKinds[this.kind].tcpCaution;
    if (this.#cautioned || caution === null || this.monitor.endpoint.kind !== 'tcp') return;
    this.#cautioned = true;
    this.#surroundings.observer.caution(this, caution);
  }

  get #losesEvents(): boolean {
    return this.kind !== null && serverKinds[this.kind].losesEvents;
  }

  #become(runState: string): void {
    if (runState === this.#runState) return;
    this.#runState = runState;
    this.#surroundings.observer.changed(this);
  }
}

function anchoredAt(options: MonitorOptions, anchor: string | undefined): MonitorOptions {
  return anchor === undefined ? options : { ...options, anchor };
}
