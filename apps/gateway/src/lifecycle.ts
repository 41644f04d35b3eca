import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { TokenStore } from './access/tokens/token-store.js';
import { DescriptorCounts } from './commands/descriptor-counts.js';
import { IdempotencyStore } from './commands/idempotency.js';
import { Dispatcher } from './entrance/dispatcher.js';
import { ShownEvents } from './events/shown-events.js';
import type { FleetExchanges } from './fleet/exchanges/fleet-exchanges.js';
import type { FleetMember } from './fleet/fleet-member.js';
import { FleetExchangesToken, FleetMemberToken } from './fleet/fleet-dependencies.js';
import { OpenConnections } from './http/open-connections.js';
import { RouteTable } from './http/route-table.js';
import { WorkFollower } from './operations/work-follower.js';
import { shownAddress } from './settings/impossible-settings.js';
import { Parts } from './parts.js';
import { SettingsError } from './settings/load-settings.js';
import { systemFault } from './settings/system-fault.js';
import { MonitorSockets } from './sockets/monitor-sockets.js';
import { SOCKET_PARTS, type SocketParts } from './sockets/socket-parts.js';
import { SocketRouter } from './upgrades/socket-router.js';
import { GatewayIdentity } from './state/gateway-identity.js';
import { StateDirectory } from './state/state-directory.js';
import { VmDirectory } from './vms/vm-directory.js';
import { VmNews } from './vms/vm-news.js';

const rootTokenFile = 'root.token';
/** What is in flight at SIGTERM has this long to end. */
const graceMs = 8_000;
/** After that, the time to write the last answers. */
const lastAnswersMs = 500;
/** The VMs that can be discovered at once are there when the listening line is; a slow file system holds up no start. */
const firstLookMs = 1000;
/** How often connections that became idle are closed during a stop. */
const sweepMs = 50;

/**
 * The start and the stop of a gateway, where the order matters over all rooms. What has a life of its own without others
 * ends in its own hook.
 */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #monitorSockets: MonitorSockets | undefined;

  constructor(@Inject(Parts) private readonly parts: Parts) {}

  /** Addresses that clients connect to. */
  get urls(): string[] {
    return this.parts.listeners.map(({ url }) => url);
  }

  /** Listens, then dials: the gateway is there whatever the VMs do. @throws SettingsError for an address it cannot listen on */
  async onApplicationBootstrap(): Promise<void> {
    // All who observe VMs are there now.
    this.parts.registry.load(this.parts.settings.vms);
    this.parts.get(WorkFollower).load();
    this.parts.get(IdempotencyStore).load();
    if (this.parts.settings.audit.required) {
      // A log that can't be written is found out before the first command, not by it.
      this.parts.audit.change(undefined, undefined, 'gateway-started', {
        version: this.parts.get(GatewayIdentity).version,
      });
      await this.parts.audit.flush();
    }
    this.#makeRootToken();
    const errors = [...(await this.#listen()), ...(await this.#openMonitorSockets())];
    if (errors.length > 0) throw SettingsError.together(errors);
    await settledWithin(this.parts.discovery.watch(this.parts.settings.discover), firstLookMs);
    this.#logStarted();
    this.#member?.start();
    this.parts.registry.start();
  }

  get #member(): FleetMember | null {
    return this.parts.get<FleetMember | null>(FleetMemberToken);
  }

  #makeRootToken(): void {
    const { auth, jwt, clientCertificates } = this.parts.settings;
    const tokens = this.parts.get(TokenStore);
    const state = this.parts.get(StateDirectory);
    if (auth !== 'token' || jwt !== undefined || clientCertificates.length > 0) return;
    if (tokens.list().length > 0) return;
    // Were the token kept first, an end in between would leave one that nobody knows, and never another.
    const { record } = tokens.create({ name: 'root', level: 'host', vms: ['*'] }, (token) => {
      try {
        state.write(rootTokenFile, `${token}\n`);
      } catch (error) {
        throw new SettingsError([`state: cannot write ${state.file(rootTokenFile)}: ${systemFault(error)}`]);
      }
    });
    this.parts.audit.change(undefined, undefined, 'token-created', { token: record.id, level: record.level });
    this.parts.log.info({ file: state.file(rootTokenFile) }, 'first start: made a token of level host for all VMs');
  }

  async #listen(): Promise<SettingsError[]> {
    const errors: SettingsError[] = [];
    for (const [at, listener] of this.parts.listeners.entries()) {
      try {
        await listener.listen();
      } catch (error) {
        const fault = `listen.${at}: cannot listen on ${shownAddress(listener.address)}: ${systemFault(error)}`;
        errors.push(new SettingsError([fault], !isForbidden(error)));
      }
    }
    return errors;
  }

  async #openMonitorSockets(): Promise<SettingsError[]> {
    const { monitorSockets } = this.parts.settings;
    if (monitorSockets === undefined) return [];
    try {
      const parts = {
        ...this.parts.get<SocketParts>(SOCKET_PARTS),
        registry: this.parts.registry,
        connections: this.parts.get(OpenConnections),
        descriptors: this.parts.get(DescriptorCounts),
      };
      this.#monitorSockets = await MonitorSockets.open(monitorSockets, parts, (message) =>
        this.parts.log.warn(message),
      );
      this.parts.get(VmNews).register(this.#monitorSockets);
      return [];
    } catch (error) {
      const fault = `monitorSockets.dir: cannot use ${monitorSockets.dir}: ${systemFault(error)}`;
      return [new SettingsError([fault], !isForbidden(error))];
    }
  }

  /** What somebody wants to know first who finds only the log. */
  #logStarted(): void {
    const { settings } = this.parts;
    const { version, run } = this.parts.get(GatewayIdentity);
    const { publicUrl } = settings;
    const http = publicUrl ? publicUrl.origin + publicUrl.base : this.urls.find((url) => url.startsWith('http'));
    const fields = {
      ...{ version, node: process.version, run, pid: process.pid },
      ...{ settings: settings.file, state: this.parts.get(StateDirectory).path, listeners: this.urls },
      ...{ docs: http === undefined ? null : `${http}/docs`, discover: settings.discover.map(({ qmp }) => qmp) },
      vms: [...this.parts.registry.all()].length,
    };
    this.parts.log.info(fields, 'started');
  }

  /** Takes nothing new, lets what is in flight end, ends the streams, then the sessions with the VMs. */
  async beforeApplicationShutdown(): Promise<void> {
    const sockets = this.parts.get(SocketRouter);
    this.parts.get(Dispatcher).drain();
    const left = this.#member?.leave();
    this.parts.discovery.stop();
    this.parts.get(WorkFollower).releaseWaiters();
    const closed = Promise.all(this.parts.listeners.map((listener) => listener.close()));
    this.parts.get(ShownEvents).closeAll();
    this.parts.get(VmDirectory).endWaits();
    const gone = Promise.all([closed, this.#monitorSockets?.close(), sockets.leave()]);
    // Connections become idle one by one, as their last answer goes out.
    const sweep = setInterval(() => {
      for (const listener of this.parts.listeners) listener.closeIdle();
    }, sweepMs);
    await settledWithin(gone, graceMs);
    // Whoever still waits for a VM gets what is known of the command.
    await this.parts.registry.stop();
    await settledWithin(gone, lastAnswersMs);
    for (const listener of this.parts.listeners) listener.refuseUnanswered(this.parts.get(RouteTable));
    await settledWithin(gone, lastAnswersMs);
    clearInterval(sweep);
    sockets.terminate();
    for (const { server } of this.parts.listeners) server.closeAllConnections();
    this.parts.get(WorkFollower).stop();
    this.parts.get(IdempotencyStore).close();
    this.parts.get<FleetExchanges | null>(FleetExchangesToken)?.stop();
    await settledWithin(Promise.resolve(left), lastAnswersMs);
    await settledWithin(Promise.resolve(this.#member?.close()), lastAnswersMs);
  }
}

/** A port that the gateway may not use stays forbidden; one that another process uses becomes free. */
function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
