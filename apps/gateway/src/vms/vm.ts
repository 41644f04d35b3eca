import type { ServerKind } from '@qmp-gateway/catalog';
import {
  isEventName,
  Monitor,
  parseEndpoint,
  shownText,
  systemClock,
  TokenBucket,
  type Fault,
  type Health,
  type MonitorHost,
  type MonitorOptions,
  type MonitorState,
  type MonitorStateName,
  type Outcome,
  type QmpEvent,
  type SessionInfo,
  type TlsOptions,
} from '@qmp-gateway/qmp';
import { noOwnMonitor, type OwnMonitor } from '../access/own-monitor.js';
import type { VmIdentity } from '../access/principal.js';
import { answerInTurn } from '../commands/ask-in-turn.js';
import { CommandQueue } from '../commands/command-queue.js';
import type { CommandServer } from '../commands/command-server.js';
import type { SchemaStore } from '../schemas/schema-store.js';
import { schemaBuilds, type VmSchema } from '../schemas/vm-schema.js';
import type { Limits, VmDefinition } from '../settings/settings.js';
import { ChangeWaiters } from './change-waiters.js';
import { hasDisplay } from './display.js';
import { RunStateGuess } from './run-state.js';
import { RunStateWatch } from './run-state-watch.js';
import { isDialledAgain, ShownState } from './shown-state.js';
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
  /** Something its operator should change; told once of a definition. */
  caution(vm: Vm, message: string): void;
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
  readonly #shown: ShownState<MonitorStateName>;
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
    const { endpoint, agent, anchors = {} } = definition;
    this.monitor = new Monitor(parseEndpoint(endpoint), this, {
      ...anchoredAt(options, anchors.endpoint),
      dialect: definition.kind,
    });
    this.#shown = new ShownState<MonitorStateName>(this.monitor.state.name, this.monitor.state.since);
    this.agent =
      agent === undefined
        ? null
        : new VmAgent(id, agent, anchoredAt(options, anchors.agent), surroundings, () =>
            surroundings.observer.changed(this),
          );
    this.#watch = new RunStateWatch(
      this.monitor,
      this.queue,
      (runState, polled) => this.#learned(runState, polled),
      surroundings.monitorOptions.clock,
    );
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
  get lastFault(): Fault | null {
    return this.#shown.fault;
  }

  /**
   * Wall-clock milliseconds of the first dial after it came to be as it is shown; those that follow change nothing that is
   * shown. Null where none was planned.
   */
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
    const outcomes: Outcome[] = [];
    const shown = await hasDisplay(async (command, json) => {
      const outcome = await answerInTurn(this.queue, this.monitor, command, json);
      outcomes.push(outcome);
      return outcome.kind === 'return' ? outcome.value : undefined;
    }, schema.model);
    const answered = outcomes.every(({ kind }) => kind === 'return' || kind === 'error');
    if (answered && this.epoch === epoch) this.displaySeen(shown);
    return this.display;
  }

  /** It is known now. */
  displaySeen(display: boolean | null): void {
    if (display === this.display) return;
    this.display = display;
    this.#surroundings.observer.changed(this);
  }

  async prepare(session: SessionInfo): Promise<void> {
    this.#preparing = true;
    const before = this.uuid;
    const clock = this.#surroundings.monitorOptions.clock ?? systemClock;
    const preparation = await prepareSession(this.monitor, session, this.#surroundings.schemas, {
      endpoint: parseEndpoint(this.#definition.endpoint),
      wanted: this.#definition.kind,
      mayBuild: () => this.#schemaBuilds.tryTake(clock.now()),
      statusKnown: (runState) => (this.#runState = runState),
      odd: (kind, detail) => this.anomaly(kind, detail),
    });
    this.#preparation = preparation;
    if (before !== null && preparation.uuid !== null && before !== preparation.uuid)
      this.anomaly('other-uuid', `another VM answers at this endpoint: uuid was ${before}`);
  }

  stateChanged(state: MonitorState): void {
    if (state.name !== 'negotiating') this.#preparing = false;
    if (state.name === 'ready') this.#adopt(state.session);
    else if (state.name !== 'negotiating') this.#runState = null;
    if (state.name === 'ready' && this.#runState !== null)
      this.#watch.start(this.#runState, state.session.dialect === 'stratovirt');
    else this.#watch.stop();
    this.#show(state);
    if (state.name === 'ready') {
      this.#surroundings.observer.ready(this);
      this.#cautionOfTcp(state.session);
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
    this.secretProperties = prepared.secretProperties;
    this.display = prepared.display;
    this.resetEnds = prepared.resetEnds;
  }

  #show(state: MonitorState): void {
    if (isDialledAgain(state, this.state)) return;
    if (!this.#shown.become(state.name, state.since, 'fault' in state ? state.fault : undefined)) return;
    this.#retryAt = 'retryAt' in state ? state.retryAt : null;
    this.#surroundings.observer.changed(this);
  }

  /** We reset such connections, but who kills the gateway, or a proxy in between, may end them. */
  #cautionOfTcp({ dialect }: SessionInfo): void {
    if (this.#cautioned || dialect !== 'stratovirt' || this.monitor.endpoint.kind !== 'tcp') return;
    this.#cautioned = true;
    this.#surroundings.observer.caution(
      this,
      'StratoVirt over tcp: it can panic when the connection ends, and the guest with it; give it a unix socket',
    );
  }

  /** The VM was asked, and said this. */
  #learned(runState: string, polled: boolean): void {
    if (this.#runState === null || this.#runState === runState) return;
    // Only StratoVirt's events can fail to come; QEMU has changes that no event tells.
    if (polled && this.kind === 'stratovirt')
      this.anomaly('event-missed', `the VM is ${runState}, and no event said so`);
    this.#become(runState);
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
