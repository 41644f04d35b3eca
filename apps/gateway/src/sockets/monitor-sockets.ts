import { directoryFault, listenOnSocketFile, systemClock, type Clock } from '@qmp-gateway/qmp';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Principal } from '../access/principal.js';
import type { OpenConnections } from '../listeners/open-connections.js';
import { maxSocketPathBytes } from '../settings/listener-address.js';
import type { MonitorSocketSettings } from '../settings/settings.js';
import { MonitorSession } from './monitor-session.js';
import { monitorTargetOf } from './monitor-target.js';
import { UnixSocketTransport } from './monitor-transports.js';
import type { Vm } from '../vms/vm.js';
import type { SocketParts } from './socket-connection.js';

const clientsPerVm = 100;

/** Clients of these sockets count among the gateway's connections. */
interface SharedPlaces {
  readonly connections?: OpenConnections;
}

/** Shared monitors as unix sockets `DIR/<vm>.sock`: QMP tools open them in place of QEMU's own. */
export class MonitorSockets {
  readonly #servers = new Map<string, Server>();
  readonly #clock: Clock;
  #connections = 0;

  constructor(
    private readonly options: MonitorSocketSettings,
    private readonly parts: Pick<SocketParts, 'registry' | 'leavers' | 'path' | 'hub' | 'clock'> & SharedPlaces,
    private readonly warn: (message: string) => void,
  ) {
    this.#clock = parts.clock ?? systemClock;
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    const fault = directoryFault(options.dir);
    if (fault !== undefined) throw new Error(fault);
  }

  /** Makes the directory and the sockets of these VMs. @throws when the directory can't be had */
  static async open(
    options: MonitorSocketSettings,
    parts: Pick<SocketParts, 'leavers' | 'path' | 'hub' | 'clock'> &
      SharedPlaces & {
        registry: SocketParts['registry'] & { all(): Iterable<Vm> };
      },
    warn: (message: string) => void,
  ): Promise<MonitorSockets> {
    const sockets = new MonitorSockets(options, parts, warn);
    await Promise.all([...parts.registry.all()].map((vm) => sockets.add(vm.id)));
    return sockets;
  }

  /** Makes the socket of a VM. A socket that can't be made is a warning: the VM is there by the other ways. */
  async add(vm: string): Promise<void> {
    if (this.#servers.has(vm)) return;
    const path = join(this.options.dir, `${vm}.sock`);
    if (Buffer.byteLength(path) > maxSocketPathBytes) {
      this.warn(`no monitor socket for ${vm}: ${path} is over ${maxSocketPathBytes} bytes`);
      return;
    }
    const server = createServer({ allowHalfOpen: false });
    this.parts.connections?.watch(server);
    server.on('connection', (socket) => this.#serve(vm, socket));
    server.maxConnections = clientsPerVm;
    this.#servers.set(vm, server);
    try {
      // It may be removed, or closed, while we look.
      const isWanted = (): boolean => this.#servers.get(vm) === server;
      await listenOnSocketFile(server, path, { mode: this.options.mode, isWanted });
    } catch (error) {
      if (this.#servers.get(vm) === server) this.#servers.delete(vm);
      this.warn(`no monitor socket for ${vm}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Takes the socket of a VM away; its sessions end with the VM's own. Resolves when the last client has gone. */
  async remove(vm: string): Promise<void> {
    const server = this.#servers.get(vm);
    this.#servers.delete(vm);
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }

  /** Takes all sockets away; their clients are among those that leave. Resolves when the last one has gone. */
  async close(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((vm) => this.remove(vm)));
  }

  #serve(vm: string, socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const found = this.parts.registry.get(vm);
    const principal = new Principal('monitor-socket', 'monitor socket', { level: this.options.level, vms: [vm] });
    if (found === undefined || this.parts.connections?.claim(socket, principal.id) !== undefined) {
      socket.destroy();
      return;
    }
    const session = new MonitorSession({
      target: monitorTargetOf(found),
      principal,
      requestId: `monitor-${vm.slice(0, 60)}-${Math.trunc(this.#clock.wall()).toString(36)}-${++this.#connections}`,
      leavers: this.parts.leavers,
      path: this.parts.path,
      hub: this.parts.hub,
      transport: new UnixSocketTransport(socket),
    });
    socket.on('data', (chunk) => session.feed(chunk));
    socket.on('close', () => session.close());
  }
}
