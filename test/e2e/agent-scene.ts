import { spawn } from 'node:child_process';
import path from 'node:path';
import { superviseProcess, syncAnswer, type FakeMonitor, type Qemu, type Scene } from '@qmp-gateway/test-kit';
import { FaultScene } from './fault-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { exchange } from './http-exchange.js';

/**
 * A real guest agent on the socket `qga` of a directory, as it would be behind a VM's virtio-serial port. It runs on this
 * machine: nothing that shuts down, suspends or freezes may be asked of it.
 */
export async function startGuestAgent(scene: Scene, directory: string, args: readonly string[] = []): Promise<Qemu> {
  const socket = path.join(directory, 'qga');
  const child = spawn('qemu-ga', ['-m', 'unix-listen', '-p', socket, '-t', directory, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return scene.keep(await superviseProcess(child, directory, [socket], false), (made) => made.stop());
}

/** A scene with guest agents in it. */
export class AgentScene extends FaultScene {
  guestAgent(directory: string, args: readonly string[] = []): Promise<Qemu> {
    return startGuestAgent(this, directory, args);
  }

  /** An agent that is synchronized with and offers these commands; the test answers them. */
  async fakeAgent(commands: readonly string[], version = '10.2.2'): Promise<FakeMonitor> {
    const fake = await this.fake({ connected: () => undefined });
    const list = ['guest-info', ...commands].map((name) => ({ enabled: true, name, 'success-response': true }));
    return fake
      .on('guest-sync-delimited', syncAnswer)
      .on('guest-info', () => ({ return: { version, supported_commands: list } }));
  }

  /** A gateway of its own with VMs whose monitor is one real QEMU each and whose agents are at these sockets. */
  async gatewayWithAgents(agents: Readonly<Record<string, string>>, settings: object): Promise<GatewayProcess> {
    return this.gateway({ settings: { vms: Object.fromEntries(await this.#vms(agents)), ...settings } });
  }

  /** The same VMs on a gateway that other tests use as well: it has them until the end of this scene. */
  async registerAgents(gateway: GatewayProcess, agents: Readonly<Record<string, string>>): Promise<GatewayProcess> {
    for (const [id, definition] of await this.#vms(agents)) {
      const answer = await exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body: JSON.stringify(definition) });
      if (answer.status !== 201) throw new Error(`registering ${id}: ${answer.text}`);
      this.keep(id, async () => {
        await exchange(gateway, `/v1/vms/${id}`, { method: 'DELETE' });
      });
    }
    return gateway;
  }

  #vms(agents: Readonly<Record<string, string>>): Promise<[string, object][]> {
    return Promise.all(
      Object.entries(agents).map(async ([id, agent]) => {
        const { socket } = await this.qemu();
        return [id, { endpoint: `unix:${socket}`, agent: `unix:${agent}` }];
      }),
    );
  }
}

/** The unix socket a fake listens on. */
export function socketOf(fake: FakeMonitor): string {
  if (fake.endpoint.kind !== 'unix') throw new Error('this fake listens elsewhere');
  return fake.endpoint.path;
}

/** Waits by the VM's own events until its agent is in this state. @returns the VM */
export async function agentBecomes(
  gateway: GatewayProcess,
  vm: string,
  state: string,
): Promise<Record<string, unknown>> {
  const { cursor, vms } = (await exchange(gateway, '/v1/vms')).json() as {
    cursor: string;
    vms: Record<string, unknown>[];
  };
  const found = vms.find(({ id, agent }) => id === vm && (agent as { state: string }).state === state);
  if (found !== undefined) return found;
  for (let after = cursor; ;) {
    const query = `event=vm-changed&wait=30s&after=${after}`;
    const page = (await exchange(gateway, `/v1/vms/${vm}/events?${query}`)).json() as {
      events: { data: Record<string, unknown> }[];
      cursor: string;
    };
    const changed = page.events.find(({ data }) => (data['agent'] as { state: string }).state === state);
    if (changed !== undefined) return changed.data;
    after = page.cursor;
  }
}
