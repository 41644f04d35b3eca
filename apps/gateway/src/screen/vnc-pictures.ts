import type { Clock } from '@qmp-gateway/qmp';
import type { RequestCommands } from '../commands/request-commands.js';
import type { CommandTrace } from '../http/command-trace.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { dialDisplay } from '../vnc/display-address.js';
import { readFramebuffer } from '../vnc/framebuffer.js';
import type { VncDisplays } from '../vnc/vnc-displays.js';
import { writePng } from './png.js';

const longestMs = 10_000;

/** A picture, and the commands that it took. */
export interface Picture {
  readonly png: Buffer;
  readonly trace: CommandTrace;
}

/** Pictures of VNC displays, of VMs that cannot write a file for the gateway. */
export class VncPictures {
  constructor(
    private readonly displays: Pick<VncDisplays, 'list' | 'reach'>,
    private readonly clock: Clock,
  ) {}

  /**
   * @param endsAt `performance.now()` at which the caller stops waiting
   * @returns undefined when the VM has no display that can be looked at without a password
   */
  async take(commands: RequestCommands, vm: Vm, endsAt: number): Promise<Picture | undefined> {
    const listing = await this.displays.list(commands, vm).catch((error: unknown) => {
      if (error instanceof Problem) return undefined;
      throw error;
    });
    // For all of its displays together: a VM may list many that say nothing.
    const until = Math.min(endsAt, performance.now() + longestMs);
    for (const server of listing?.servers ?? []) {
      if (server.auth !== 'none') continue;
      if (performance.now() >= until) break;
      const reach = this.displays.reach(vm, server);
      if ('reason' in reach) continue;
      try {
        const socket = await dialDisplay(reach.address, this.clock);
        const png = await writePng(await readFramebuffer(socket, until - performance.now(), this.clock));
        return { png, trace: listing?.trace ?? {} };
      } catch {
        // It went away, or is none; the next one may do.
      }
    }
    return undefined;
  }
}
