import { InstantMonitor } from '@qmp-gateway/test-kit';
import { measurable } from '../long/soak/process-probe.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import type { GatewayScene } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';

/** VMs of one monitor: its backlog is never full then. */
const vmsOfMonitor = 250;
const stepMs = 50;

/** A gateway with thousands of VMs, each in a session with a monitor that answers at once. */
export interface ThousandsOfVms {
  readonly gateway: GatewayProcess;
  /** From now on so many VMs a second stop or run on. @returns ends it */
  change(perSecond: number): () => void;
}

const command = (name: string) => ({ name, 'meta-type': 'command', 'arg-type': 'empty', 'ret-type': 'any' });
const replies = {
  'query-qmp-schema': JSON.stringify([
    { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
    { name: 'empty', 'meta-type': 'object', members: [] },
    ...['query-status', 'query-name', 'query-uuid', 'query-qmp-schema', 'stop', 'cont'].map(command),
  ]),
  'query-status': '{"running": true, "status": "running"}',
};

/** Resolves when all of them are ready. */
export async function thousandsOfVms(scene: GatewayScene, count: number): Promise<ThousandsOfVms> {
  const monitors = await Promise.all(
    Array.from({ length: Math.ceil(count / vmsOfMonitor) }, () => InstantMonitor.start(replies)),
  );
  for (const monitor of monitors) scene.keep(monitor, (made) => made.stop());
  const vms = Object.fromEntries(Array.from({ length: count }, (_, at) => [idOf(at), vmAt(at, monitors)]));
  const gateway = await scene.gateway({ settings: { vms }, env: measurable });
  await allReady(gateway, count);
  return { gateway, change: (perSecond) => changing(monitors, perSecond) };
}

const idOf = (at: number) => `web-${String(at).padStart(5, '0')}`;

function vmAt(at: number, monitors: readonly InstantMonitor[]): object {
  const labels = { tenant: `tenant-${at % 97}`, rack: `r${at % 40}`, tier: at % 3 === 0 ? 'db' : 'web' };
  return { endpoint: `unix:${monitors[at % monitors.length]?.endpoint.path ?? ''}`, labels };
}

async function allReady(gateway: GatewayProcess, count: number): Promise<void> {
  for (;;) {
    const { vms, cursor } = (await exchange(gateway, '/v1/vms')).json() as { vms: { state: string }[]; cursor: string };
    if (vms.filter(({ state }) => state === 'ready').length === count) return;
    await exchange(gateway, `/v1/events?event=vm-changed&wait=5s&limit=1&after=${cursor}`);
  }
}

function changing(monitors: readonly InstantMonitor[], perSecond: number): () => void {
  const began = performance.now();
  let told = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * perSecond;
    const timestamp = { seconds: Math.floor(Date.now() / 1000), microseconds: 0 };
    for (; told < due; told++) {
      // One VM of each monitor in turn, all of them, and then the next one of each.
      const event = Math.floor(told / (monitors.length * vmsOfMonitor)) % 2 === 0 ? 'STOP' : 'RESUME';
      monitors[told % monitors.length]?.writeInTurn(`${JSON.stringify({ timestamp, event })}\r\n`);
    }
  }, stepMs);
  return () => clearInterval(timer);
}
