import { directoryFault, listenOnSocketFile, systemClock, type Clock } from '@qmp-gateway/qmp';
import { DescriptorChannel, missingReason } from '@qmp-gateway/unix-fds';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Principal } from '../access/principal.js';
import type { DescriptorCounts } from '../commands/descriptor-counts.js';
import type { OpenConnections } from '../http/open-connections.js';
import { maxSocketPathBytes } from '../settings/listener-address.js';
import type { MonitorSocketSettings } from '../settings/socket-settings.js';
import { MonitorConnection } from './monitor-connection.js';
import { monitorTargetOf } from './monitor-target.js';
import { UnixSocketTransport } from './monitor-transports.js';
import type { Vm, VmObserver } from '../vms/vm.js';
import type { SocketParts } from './socket-parts.js';

const clientsPerVm = 100;

/** Clients of these sockets count among the gateway's connections. */
interface SharedPlaces {
  readonly connections?: OpenConnections;
  /** Of descriptors that clients sent for nothing. */
  readonly descriptors?: Pick<DescriptorCounts, 'unused'>;
}

/** Shared monitors as unix sockets `DIR/<vm>.sock`, which QMP tools open in place of QEMU's own. */
export class MonitorSockets implements VmObserver {
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

  /** Creates the directory and the sockets of these VMs. @throws if the directory cannot be used */
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

  added(vm: Vm): void {
    void this.add(vm.id);
  }

  removed(vm: Vm): void {
    void this.remove(vm.id);
  }

  /** Creates the socket of a VM. If that fails it is a warning, because the VM is reachable in other ways. */
  async add(vm: string): Promise<void> {
    if (this.#servers.has(vm)) return;
    const path = join(this.options.dir, `${vm}.sock`);
    if (Buffer.byteLength(path) > maxSocketPathBytes) {
      this.warn(`no monitor socket for ${vm}: ${path} is over ${maxSocketPathBytes} bytes`);
      return;
    }
    const server = createServer({ allowHalfOpen: false, pauseOnConnect: takesDescriptors() });
    this.parts.connections?.watch(server);
    server.on('connection', (socket) => this.#serve(vm, socket));
    server.maxConnections = clientsPerVm;
    this.#servers.set(vm, server);
    try {
      // The VM may be removed, or the gateway closed, in the meantime.
      const isWanted = (): boolean => this.#servers.get(vm) === server;
      await listenOnSocketFile(server, path, { mode: this.options.mode, isWanted });
    } catch (error) {
      if (this.#servers.get(vm) === server) this.#servers.delete(vm);
      this.warn(`no monitor socket for ${vm}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Takes the socket of a VM away; its connections end with the session of the VM. Resolves when the last client has gone. */
  async remove(vm: string): Promise<void> {
    const server = this.#servers.get(vm);
    this.#servers.delete(vm);
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }

  /** Removes all sockets; their clients are among those that leave. Resolves when the last one has left. */
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
    const channel = this.#channelBeside(socket);
    if (channel === 'none') return;
    const connection = new MonitorConnection({
      target: monitorTargetOf(found),
      principal,
      requestId: `monitor-${vm.slice(0, 60)}-${Math.trunc(this.#clock.wall()).toString(36)}-${++this.#connections}`,
      leavers: this.parts.leavers,
      path: this.parts.path,
      hub: this.parts.hub,
      transport: new UnixSocketTransport(socket, channel),
      clock: this.#clock,
      unusedDescriptors: channel && ((count) => this.parts.descriptors?.unused(count)),
    });
    if (channel === undefined) socket.on('data', (chunk) => connection.feed(chunk));
    else
      channel.receive({
        received: (bytes, descriptors) => connection.feed(bytes, descriptors),
        ended: () => socket.destroySoon(),
      });
    socket.on('close', () => {
      channel?.close();
      connection.close();
    });
  }

  /** What reads for a client where descriptors may come with its bytes: Node.js itself would lose them. */
  #channelBeside(socket: Socket): DescriptorChannel | undefined | 'none' {
    if (!takesDescriptors()) return undefined;
    try {
      return DescriptorChannel.beside(socket);
    } catch {
      // The limit of open files is reached.
      socket.destroy();
      return 'none';
    }
  }
}

const takesDescriptors = (): boolean => missingReason() === undefined;
