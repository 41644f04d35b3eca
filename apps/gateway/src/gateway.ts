import { resolve } from 'node:path';
import { DialGate, type TlsOptions } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { AuditLog } from './access/audit-log.js';
import { AccessControl } from './access/access-control.js';
import { Policy } from './access/policy.js';
import { LimitedCommandPath } from './access/request-limiter.js';
import { TokenStore } from './access/token-store.js';
import { CheckedCommandPath } from './commands/command-path.js';
import { FanOut } from './commands/fan-out.js';
import { IdempotencyStore } from './commands/idempotency.js';
import { Lane } from './commands/lane.js';
import { ReplyBudget } from './commands/reply-budget.js';
import { EventHub } from './events/event-hub.js';
import { GatewayIdentity } from './health/gateway-identity.js';
import { VmJournal } from './journal/vm-journal.js';
import { connectionBound } from './listeners/connection-bound.js';
import { Dispatcher } from './listeners/dispatcher.js';
import { groupId, type Listener } from './listeners/listener.js';
import { OpenConnections } from './listeners/open-connections.js';
import { makeListeners, renewCertificates } from './listeners/open-listeners.js';
import { logged } from './listeners/request-context.js';
import { CommandMetrics } from './metrics/command-metrics.js';
import { loadCatalogs } from './schemas/load-catalogs.js';
import { SchemaStore } from './schemas/schema-store.js';
import { PictureDirectory } from './screen/picture-directory.js';
import { shownAddress } from './settings/impossible-settings.js';
import { SettingsError } from './settings/load-settings.js';
import { readCommandClasses } from './settings/named-files.js';
import { OwnSockets } from './settings/own-sockets.js';
import { settingsChange, takeOver } from './settings/settings-change.js';
import type { Settings } from './settings/settings.js';
import { OperationDesk } from './operations/operation-desk.js';
import { OperationStore } from './operations/operation-store.js';
import { renderWork } from './operations/operation-view.js';
import type { Work } from './operations/work.js';
import { WorkFollower } from './operations/work-follower.js';
import { MonitorSockets } from './sockets/monitor-sockets.js';
import type { SocketParts } from './sockets/socket-connection.js';
import { SocketRouter } from './sockets/socket-router.js';
import { StateDirectory } from './state/state-directory.js';
import { AnomalyLog } from './vms/anomaly-log.js';
import { VmDiscovery } from './vms/discovery/vm-discovery.js';
import { VmAdministration } from './vms/vm-administration.js';
import { VmDirectory } from './vms/vm-directory.js';
import { VmRegistry } from './vms/vm-registry.js';
import { loadVmTls, renewVmTls } from './vms/vm-tls.js';
import type { Vm, VmObserver } from './vms/vm.js';

const rootTokenFile = 'root.token';
/** After the grace of a stop, the time to write the last answers. */
const lastAnswersMs = 500;
/** The VMs that can be discovered at once are there when the listening line is; a slow file system holds up no start. */
const firstLookMs = 1000;
/** Dials under way at once, over all VMs. */
const simultaneousDials = 64;

const listenFaults: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'no permission',
  ENOENT: 'its directory does not exist',
  ENOTFOUND: 'no such host',
};

/** All parts of a running gateway, wired. Nest gets them as they are; nothing else knows how they are put together. */
export class Gateway {
  readonly identity = new GatewayIdentity();
  readonly metrics = new CommandMetrics();
  readonly state: StateDirectory;
  readonly tokens: TokenStore;
  readonly audit: AuditLog;
  readonly access: AccessControl;
  readonly hub: EventHub;
  readonly registry: VmRegistry;
  readonly discovery: VmDiscovery;
  readonly directory: VmDirectory;
  readonly administration: VmAdministration;
  readonly operations: OperationStore;
  readonly pictures: PictureDirectory;
  readonly work: WorkFollower;
  readonly idempotency: IdempotencyStore;
  readonly operationDesk: OperationDesk;
  readonly policy: Policy;
  readonly path: CheckedCommandPath;
  readonly replies: ReplyBudget;
  /** What the sockets use: their commands count as requests. */
  readonly socketParts: SocketParts & { readonly registry: VmRegistry };
  readonly sockets: SocketRouter;
  readonly connections: OpenConnections;
  readonly dispatcher: Dispatcher;
  readonly listeners: readonly Listener[];
  readonly #journal: VmJournal;
  readonly #vmTls: Map<string, TlsOptions>;
  #monitorSockets: MonitorSockets | undefined;
  #reloading: Promise<void> = Promise.resolve();

  /** @throws SettingsError when files that the settings name can't be used */
  constructor(
    readonly settings: Settings,
    readonly log: Logger,
  ) {
    const { run } = this.identity;
    this.#journal = new VmJournal(log);
    this.state = new StateDirectory(settings.state);
    this.tokens = new TokenStore(this.state, Date.now, (failure) =>
      log.error({ failure }, 'the tokens cannot be read again; those read before stay in use'),
    );
    this.audit = new AuditLog(this.state.path, settings.audit, (failure) => {
      if (failure === undefined) log.warn('the audit log is written again');
      else log.error({ failure, path: this.audit.path }, 'the audit log cannot be written');
    });
    const classes = readCommandClasses(settings);
    this.access = new AccessControl(settings, this.tokens, (message) =>
      log.warn({ failure: message }, 'the keys of jwt.jwks cannot be had'),
    );
    this.hub = new EventHub({ run, history: settings.history, subscriptions: settings.limits.connections });
    this.#vmTls = loadVmTls(settings.vms);
    let sessions = 0;
    const surroundings = {
      observer: this.#observer(),
      schemas: new SchemaStore(classes, loadCatalogs(settings.catalogs)),
      monitorOptions: { dialGate: new DialGate(simultaneousDials), lineBytes: settings.limits.lineBytes },
      tls: this.#vmTls,
      limits: settings.limits,
      nextEpoch: () => `${run}.${++sessions}`,
      fault: (vm: string, error: unknown) =>
        log.error({ err: error, vm }, 'a fault of ours in handling what a vm said; the session with it ends'),
    };
    this.registry = new VmRegistry(this.state, surroundings, {
      added: (vm) => {
        this.#publishChanged(vm);
        void this.#monitorSockets?.add(vm.id);
      },
      removed: (vm) => {
        this.operations.forget(vm.id);
        this.work.removed(vm);
        this.#journal.removed(vm);
        this.hub.publishOwn(vm, 'vm-removed', JSON.stringify({ id: vm.id }));
        void this.#monitorSockets?.remove(vm.id);
      },
      // Whoever's scope or selection it leaves would keep a row of it for ever.
      relabelling: (vm, labels) =>
        this.hub.publishOwn(vm, 'vm-removed', JSON.stringify({ id: vm.id }), { successor: { id: vm.id, labels } }),
      warning: (message) => log.warn(message),
    });
    this.discovery = new VmDiscovery(this.registry, (message) => log.warn(message));
    this.directory = new VmDirectory(this.registry, () => this.hub.head());
    this.administration = new VmAdministration(this.registry, this.audit, new OwnSockets(settings));
    this.operations = new OperationStore(run);
    this.pictures = this.#pictureDirectory();
    this.work = this.#followWork();
    this.idempotency = new IdempotencyStore({
      state: this.state,
      operationPath: (vm, operation) => this.work.store.get(vm, operation)?.path,
      trouble: (failure) => {
        if (failure === undefined) log.warn('idempotency keys are written down again');
        else log.error({ failure }, 'idempotency keys cannot be written down; commands that carry one are refused');
      },
    });
    this.policy = new Policy(settings, classes);
    this.path = new CheckedCommandPath({
      registry: this.registry,
      policy: this.policy,
      audit: this.audit,
      metrics: this.metrics,
      limits: settings.limits,
      operations: this.operations,
      work: this.work,
      idempotency: this.idempotency,
      eventCursor: () => this.hub.head(),
      fault: (error, mark) => log.error({ err: error, ...logged(mark) }, 'command failed by a fault of ours'),
    });
    this.replies = new ReplyBudget(settings.limits);
    const lane = new Lane(this.path, new FanOut(this.registry, this.path), this.replies, settings.limits, this.work);
    this.operationDesk = new OperationDesk(this.registry, this.operations, this.work, () => this.hub.head());
    const { hub, directory, registry } = this;
    this.socketParts = {
      leavers: new Set(),
      hub,
      directory,
      registry,
      path: new LimitedCommandPath(this.path, this.access),
    };
    this.sockets = new SocketRouter(this.socketParts);
    this.connections = new OpenConnections(connectionBound(settings.limits.connections));
    this.dispatcher = new Dispatcher(this.access, lane, this.sockets, this.connections, this.replies, log);
    this.listeners = makeListeners(settings, this.connections);
    for (const listener of this.listeners) this.dispatcher.attach(listener);
    this.registry.load(settings.vms);
    this.work.load();
    this.idempotency.load();
  }

  /** Listens, then dials: the gateway is there whatever the VMs do. @throws SettingsError for an address that can't be had */
  async start(): Promise<void> {
    if (this.settings.audit.required) {
      // A log that can't be written is found out before the first command, not by it.
      this.audit.change(undefined, undefined, 'gateway-started', { version: this.identity.version });
      await this.audit.flush();
    }
    this.#makeRootToken();
    this.pictures.clear();
    const faults = [...(await this.#listen()), ...(await this.#openMonitorSockets())];
    if (faults.length > 0) throw new SettingsError(faults);
    await settledWithin(this.discovery.watch(this.settings.discover), firstLookMs);
    this.#sayStarted();
    this.registry.start();
  }

  /** What somebody wants to know first who finds only the log. */
  #sayStarted(): void {
    const { settings, identity, registry, state } = this;
    const listeners = this.listeners.map(({ url }) => url);
    const http = listeners.find((url) => url.startsWith('http'));
    const fields = {
      ...{ version: identity.version, node: process.version, run: identity.run, pid: process.pid },
      ...{ settings: settings.file, state: state.path, listeners, docs: http === undefined ? null : `${http}/docs` },
      ...{ discover: settings.discover.map(({ qmp }) => qmp), vms: [...registry.all()].length },
    };
    this.log.info(fields, 'started');
  }

  async #listen(): Promise<string[]> {
    const faults: string[] = [];
    for (const [at, listener] of this.listeners.entries()) {
      try {
        await listener.listen();
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        const shown = shownAddress(listener.address);
        faults.push(`listen.${at}: ${shown} cannot be had: ${listenFaults[code] ?? message}`);
      }
    }
    return faults;
  }

  async #openMonitorSockets(): Promise<string[]> {
    const { monitorSockets } = this.settings;
    if (monitorSockets === undefined) return [];
    try {
      const parts = { ...this.socketParts, connections: this.connections };
      this.#monitorSockets = await MonitorSockets.open(monitorSockets, parts, (message) => this.log.warn(message));
      return [];
    } catch (error) {
      return [`monitorSockets.dir: cannot be had: ${(error as Error).message}`];
    }
  }

  /** Takes nothing new, lets what is in flight end, ends the streams, then the sessions with the VMs. */
  async stop(graceMs: number): Promise<void> {
    this.dispatcher.drain();
    this.discovery.stop();
    this.work.releaseWaiters();
    const closed = Promise.all(this.listeners.map((listener) => listener.close()));
    this.hub.closeAll();
    this.directory.endWaits();
    const gone = Promise.all([closed, this.#monitorSockets?.close(), this.sockets.leave()]);
    // Connections become idle one by one, as their last answer goes out.
    const sweep = setInterval(() => {
      for (const listener of this.listeners) listener.closeIdle();
    }, 50);
    await settledWithin(gone, graceMs);
    // Whoever still waits for a VM is told now what is known of the command.
    await this.registry.stop();
    await settledWithin(gone, lastAnswersMs);
    for (const listener of this.listeners) listener.refuseUnanswered();
    await settledWithin(gone, lastAnswersMs);
    clearInterval(sweep);
    this.sockets.terminate();
    for (const { server } of this.listeners) server.closeAllConnections();
    this.pictures.clear();
    this.work.stop();
    this.idempotency.close();
    this.#journal.close();
    await this.audit.close();
  }

  /**
   * What SIGHUP asks for: the audit log opened anew, then settings, tokens and every file they name read again. When
   * anything in them is wrong, all stays as it was and the log has each fault.
   *
   * @param read the settings as they are now. @throws SettingsError
   */
  reload(read: () => Settings): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload(read));
    return this.#reloading;
  }

  async #reload(read: () => Settings): Promise<void> {
    const { settings, log } = this;
    try {
      await this.audit.reopen();
    } catch (error) {
      log.error({ failure: (error as Error).message }, 'the audit log cannot be opened anew; the old one stays in use');
    }
    let fresh: Settings;
    try {
      fresh = allFaults(read, () => this.tokens.reload());
    } catch (error) {
      const faults = error instanceof SettingsError ? error.faults : [String(error)];
      for (const fault of faults) log.error(fault);
      log.error({ faults: faults.length }, 'settings cannot be read again; all stays as it was');
      return;
    }
    try {
      const change = settingsChange(settings, fresh);
      takeOver(settings, fresh, change);
      await this.#use(change.taken);
      if (change.taken.length > 0)
        this.audit.change(undefined, undefined, 'settings-changed', { settings: change.taken });
      const vms = [...this.registry.all()].length;
      log.info({ changed: change.taken, vms }, 'settings and the files they name read again');
      for (const setting of change.needRestart) log.warn(`${setting}: changed in the settings, but it needs a restart`);
    } catch (error) {
      log.error({ err: error }, 'settings could not be taken over as a whole');
    }
  }

  /** Brings about what settings with these paths say now, and what is in the files that they name. */
  async #use(changed: readonly string[]): Promise<void> {
    const { settings } = this;
    renewCertificates(this.listeners, settings);
    renewVmTls(this.#vmTls, loadVmTls(settings.vms));
    this.access.reload(changed);
    this.log.level = settings.logLevel;
    if (changed.includes('vms')) await this.registry.provide('settings', settings.vms);
    if (changed.includes('discover')) await this.discovery.watch(settings.discover);
  }

  #makeRootToken(): void {
    const { auth, jwt, clientCertificates } = this.settings;
    if (auth !== 'token' || jwt !== undefined || clientCertificates.length > 0) return;
    if (this.tokens.list().length > 0) return;
    const { token, record } = this.tokens.create({ name: 'root', level: 'host', vms: ['*'] });
    this.state.write(rootTokenFile, `${token}\n`);
    this.audit.change(undefined, undefined, 'token-created', { token: record.id, level: record.level });
    this.log.info({ file: this.state.file(rootTokenFile) }, 'first start: made a token of level host for all VMs');
  }

  #pictureDirectory(): PictureDirectory {
    const { dir, group } = this.settings.pictures;
    return new PictureDirectory(
      dir === undefined ? this.state.file('pictures') : resolve(dir),
      group === undefined ? undefined : groupId(group),
    );
  }

  /** Tells of a change once: what leaves the view as it was is no change. */
  #publishChanged(vm: Vm): void {
    if (!this.directory.renew(vm)) return;
    const reducedData = this.directory.renderReduced(vm);
    this.hub.publishOwn(vm, 'vm-changed', this.directory.renderFull(vm), { reducedData });
  }

  #followWork(): WorkFollower {
    const { hub, registry, log, audit, operations } = this;
    return new WorkFollower({
      state: this.state,
      eventCursor: () => hub.head(),
      nextId: () => operations.nextId(),
      publish: (work, gone) => {
        const { vm, principalId } = work.record;
        const source = registry.get(vm) ?? gone;
        const only = principalId === null ? {} : { only: principalId };
        if (source !== undefined) hub.publishOwn(source, 'operation', renderWork(work), only);
      },
      isWatched: ({ record }) => {
        const source = registry.get(record.vm);
        return source !== undefined && hub.isWatched(source, 'operation', record.principalId ?? undefined);
      },
      audit: (what, details) => audit.change(undefined, undefined, what, details),
      ended: (work) => this.#workEnded(work),
      trouble: (failure) => {
        if (failure === undefined) log.warn('operations are written down again');
        else log.error({ failure }, 'operations cannot be written down; they will not survive a restart');
      },
    });
  }

  /** Of what was begun through the gateway. */
  #workEnded(work: Work): void {
    const { id, vm, command, principalId, state, started, ended } = work.record;
    if (command === null || principalId === null) return;
    this.metrics.workEnded(this.registry.get(vm)?.kind ?? 'unknown', command, state);
    const durationMs = (ended ?? started) - started;
    // The line of its command, should that be answered in this turn, comes first and may tell it all.
    setImmediate(() => {
      if (work.toldAtReply) return;
      this.audit.work({ principalId, vm, command, operation: id, state, problem: work.problem?.code, durationMs });
    });
  }

  #observer(): VmObserver {
    const anomalies = new AnomalyLog((about) => this.log.warn(about, 'odd bytes from a vm'));
    return {
      changed: (vm) => {
        this.#publishChanged(vm);
        this.#journal.changed(vm);
        const { state, lastFault } = vm;
        if (!vm.ready) this.work.away(vm);
        if (state === 'closed') this.work.closed(vm);
        const fields = { vm: vm.id, state, health: vm.health, runState: vm.runState };
        const fault = vm.ready || lastFault === null ? {} : { code: lastFault.code, detail: lastFault.detail };
        this.log.debug({ ...fields, ...fault }, 'vm changed');
      },
      ready: (vm) => {
        this.work.ready(vm);
      },
      event: (vm, event) => {
        this.hub.publish(vm, event);
        this.work.event(vm, event);
      },
      eventLeftOut: (vm, name) => this.hub.publishLeftOut(vm, name),
      anomaly: (vm, kind, detail) => anomalies.tell(vm, kind, detail),
      caution: (vm, message) => this.log.warn({ vm: vm.id }, message),
    };
  }
}

/** What `read` gives, when nothing throws. @throws SettingsError with the faults of all of them */
function allFaults<T>(read: () => T, ...others: (() => void)[]): T {
  const faults: string[] = [];
  const attempt = <R>(step: () => R): R | undefined => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const value = attempt(read);
  others.forEach(attempt);
  if (value === undefined || faults.length > 0) throw new SettingsError(faults);
  return value;
}

async function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
