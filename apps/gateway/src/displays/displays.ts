import type { Ruling } from '@qmp-gateway/catalog';
import { parseEndpoint } from '@qmp-gateway/qmp';
import type { RequestCommands } from '../commands/request-commands.js';
import type { CommandTrace } from '../http/command-trace.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import type { DisplaySeats } from './display-seats.js';
import type { DisplayListShape, DisplayShape } from './display-shapes.js';
import type { DisplaySockets } from '../vnc/display-sockets.js';
import type { VncDisplays } from '../vnc/vnc-displays.js';
import { updatedServer, warningsOf, type VncServer } from '../vnc/vnc-servers.js';

/**
 * `display-update` is of class `host`, because its caller names the address that QEMU listens at. Here the gateway names
 * it, in a directory that nobody else can enter.
 */
const openingRuling: Ruling = {
  class: 'configure',
  rule: 'display',
  reason: 'a VNC socket for the gateway alone, in a directory of its own',
};

/** The displays of VMs as clients see them, and how one is opened. */
export class Displays {
  constructor(
    private readonly vnc: VncDisplays,
    private readonly sockets: Pick<DisplaySockets, 'place'>,
    private readonly seats: Pick<DisplaySeats, 'at'>,
  ) {}

  /** All of a VM. @throws Problem that of the command */
  async list(commands: RequestCommands, vm: Vm): Promise<{ list: DisplayListShape; trace: CommandTrace }> {
    const { servers, reason, trace } = await this.vnc.list(commands, vm);
    return { list: { displays: servers.map((server) => this.show(vm, server)), reason }, trace };
  }

  show(vm: Vm, server: VncServer): DisplayShape {
    const reach = this.vnc.reach(vm, server);
    const reason = 'reason' in reach ? reach.reason : null;
    return {
      ...{ id: server.id, kind: 'vnc', available: reason === null, reason, auth: server.auth },
      // QEMU binds a VNC display to one head of one device.
      ...{ heads: 1, ...this.seats.at(vm.id, server.id), warnings: warningsOf(server) },
    };
  }

  /**
   * Has the VM open a socket for the gateway, where it has no address yet. `display-update` replaces all addresses of a
   * display, and closes them when it fails: one that has any is left alone.
   * @throws Problem
   */
  async open(commands: RequestCommands, vm: Vm, id: string): Promise<{ display: DisplayShape; trace: CommandTrace }> {
    const listing = await this.vnc.list(commands, vm);
    const server = this.vnc.require(vm, listing, id);
    const reach = this.vnc.reach(vm, server);
    if ('address' in reach) return { display: this.show(vm, server), trace: listing.trace };
    if (server.addresses.length > 0) throw new Problem('no-display', reach.reason, { vm: vm.id, outcome: 'not-sent' });
    const path = this.#place(vm, listing.servers, server);
    const addresses = [{ type: 'unix', path }];
    const args = JSON.stringify({ type: 'vnc', addresses });
    const { trace } = await commands.run('display-update', args, { ruling: openingRuling }).catch((error: unknown) => {
      throw withoutPath(error, path);
    });
    const after = await this.vnc.list(commands, vm);
    const opened = this.vnc.require(vm, after, id);
    const reached = this.vnc.reach(vm, opened);
    if ('reason' in reached)
      throw new Problem('not-offered', `The VM opened its display, but not for the gateway. ${reached.reason}`, {
        ...{ vm: vm.id, outcome: 'unknown' },
      });
    return { display: this.show(vm, opened), trace };
  }

  /** @throws Problem when no socket of this display could be used */
  #place(vm: Vm, servers: readonly VncServer[], server: VncServer): string {
    const about = { vm: vm.id, outcome: 'not-sent' } as const;
    const { kind } = parseEndpoint(vm.definition.endpoint);
    if (kind !== 'unix' && kind !== 'listen-unix')
      throw new Problem(
        'not-offered',
        'A display is opened as a unix socket, so it is had of VMs of this host only: those whose monitor is a unix socket.',
        about,
      );
    const first = updatedServer(servers);
    if (first !== server)
      throw new Problem('no-display', `QEMU opens only the first of its VNC displays, ${first?.id ?? 'none'}.`, about);
    const path = this.sockets.place(vm.id);
    if (path !== undefined) return path;
    const detail = 'The path of the state directory is too long for a unix socket in it.';
    throw new Problem('not-offered', detail, about);
  }
}

/** Callers must not see the gateway's paths. An error that names the socket is about making it. */
function withoutPath(error: unknown, path: string): unknown {
  if (!(error instanceof Problem) || !error.detail.includes(path)) return error;
  const hide = (text: string) => text.replaceAll(path, '<socket>');
  const { qmp } = error.fields;
  return new Problem(
    error.code,
    `${hide(error.detail)}. QEMU must be able to make a socket in the gateway's state directory: on the same file system, and as the same user. A QEMU of another user is started with -vnc unix:/PATH, where the gateway may connect.`,
    { ...error.fields, ...(qmp === undefined ? {} : { qmp: { class: qmp.class, desc: hide(qmp.desc) } }) },
  );
}
