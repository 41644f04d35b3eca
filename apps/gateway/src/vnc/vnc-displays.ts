import { serverKinds } from '@qmp-gateway/catalog';
import { nearestNames } from '@qmp-gateway/qapi';
import type { RequestCommands } from '../commands/request-commands.js';
import type { CommandTrace } from '../http/command-trace.js';
import { didYouMean, Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { reachOf, type Reach } from './display-address.js';
import type { DisplaySockets } from './display-sockets.js';
import { readVncServers, type VncServer } from './vnc-servers.js';

const question = 'query-vnc-servers';

/** Short enough for the reason of a close. */
const notStarted =
  'The VM has no VNC display. Start it with -vnc none, and POST to the display; or with -vnc unix:/PATH.';

/** The displays of a VM at one moment. */
export interface DisplayListing {
  readonly servers: readonly VncServer[];
  /** Why there are none. */
  readonly reason: string | null;
  readonly trace: CommandTrace;
}

/** The VNC displays of VMs: which there are, and how they are reached. */
export class VncDisplays {
  constructor(private readonly sockets: Pick<DisplaySockets, 'pathOf'>) {}

  /** Asks the VM. @throws Problem that of the command, but for a server that has none */
  async list(commands: RequestCommands, vm: Vm): Promise<DisplayListing> {
    try {
      const { json, trace } = await commands.run(question, '{}', { part: true });
      const servers = readVncServers(json);
      if (servers === undefined) throw new Error(`${vm.id} answers ${question} with what is no list`);
      const reason = servers.length > 0 ? null : notStarted;
      return { servers, reason, trace };
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'command-not-found') throw error;
      const title = vm.kind === null ? 'server' : serverKinds[vm.kind].title;
      return { servers: [], reason: `The ${title} of this VM has no VNC displays.`, trace: {} };
    }
  }

  reach(vm: Vm, server: VncServer): Reach {
    return reachOf(server, vm.definition, this.sockets.pathOf(vm.id));
  }

  /**
   * Finds a display by its id.
   * @throws Problem `no-display` when the VM has none at all, `device-not-found` with the nearest names
   */
  require(vm: Vm, { servers, reason }: DisplayListing, id: string): VncServer {
    const server = servers.find((each) => each.id === id);
    if (server !== undefined) return server;
    const about = { vm: vm.id, outcome: 'not-sent' } as const;
    if (reason !== null) throw new Problem('no-display', reason, about);
    const names = servers.map((each) => each.id);
    const nearest = nearestNames(id, names);
    const suggestions = nearest.length > 0 ? nearest : names;
    const detail = `The VM has no display ${JSON.stringify(id.slice(0, 128))}.${didYouMean(suggestions)}`;
    throw new Problem('device-not-found', detail, { ...about, suggestions });
  }
}
