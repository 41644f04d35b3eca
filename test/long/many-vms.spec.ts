import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { InstantMonitor, RawQmpClient } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { FaultScene } from '../e2e/fault-scene.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { exchange } from '../e2e/http-exchange.js';
import { measurable, ProcessProbe } from './soak/process-probe.js';

const count = 1000;
/** Dials in progress at most, over all VMs. */
const dialLimit = 64;
const mebibyte = 2 ** 20;
const scene = new FaultScene();

afterEach(() => scene.end());

function vmsAt(...endpoints: readonly string[]): Record<string, object> {
  const endpointOf = (n: number) => endpoints[n % endpoints.length];
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`vm-${n}`, { endpoint: endpointOf(n) }]));
}

async function ready(gateway: GatewayProcess): Promise<number> {
  const { vms } = (await exchange(gateway, '/v1/vms')).json() as { vms: { state: string }[] };
  return vms.filter(({ state }) => state === 'ready').length;
}

/** Milliseconds until so many VMs are ready, by the states that events tell. */
async function allReady(gateway: GatewayProcess, number: number): Promise<number> {
  const began = performance.now();
  while ((await ready(gateway)) < number) {
    if (performance.now() - began > 60_000) throw new Error(`only ${await ready(gateway)} of ${number} are ready`);
    const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    await exchange(gateway, `/v1/events?event=vm-changed&wait=1s&limit=1&after=${cursor}`);
  }
  return performance.now() - began;
}

/** What a real QEMU says of itself: some 200 KB for every session to read. */
async function introspection(): Promise<string> {
  const qemu = await scene.qemu();
  const client = scene.keep(await RawQmpClient.connect(qemu.socket), (made) => made.close());
  await client.negotiate();
  const reply = await client.command('{"execute":"query-qmp-schema"}');
  return JSON.stringify((JSON.parse(reply) as { return: unknown }).return);
}

/** Resident bytes. */
function memoryOf({ process }: GatewayProcess): number {
  const status = readFileSync(`/proc/${process.pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+([0-9]+) kB/m.exec(status)?.[1]) * 1024;
}

describe('1,000 VMs', () => {
  it('are held in under 250 MB, and are all back within 10 s when every connection is reset', async () => {
    const replies = {
      'query-qmp-schema': await introspection(),
      'query-status': '{"running": true, "singlestep": false, "status": "running"}',
      'query-chardev': '[]',
    };
    // Each for so many VMs that its backlog is never full.
    const monitors = await Promise.all(Array.from({ length: 20 }, () => InstantMonitor.start(replies)));
    for (const monitor of monitors) scene.keep(monitor, (made) => made.stop());
    const vms = vmsAt(...monitors.map(({ endpoint }) => `unix:${endpoint.path}`));
    const gateway = await scene.gateway({ settings: { vms }, env: measurable });
    const connected = await allReady(gateway, count);
    const connecting = memoryOf(gateway);
    const probe = scene.keep(await ProcessProbe.attach(gateway), (attached) => attached.close());
    const held = (await probe.measure()).residentBytes;
    const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    const lost = exchange(gateway, `/v1/events?event=vm-changed&wait=5s&limit=1&after=${cursor}`);
    for (const monitor of monitors) monitor.resetAll();
    await lost;
    const back = await allReady(gateway, count);
    const reconnecting = memoryOf(gateway);
    const heldAfter = (await probe.measure()).residentBytes;
    probe.close();
    const mib = [connecting, held, reconnecting, heldAfter].map((bytes) => Math.round(bytes / mebibyte));
    process.stdout.write(`${JSON.stringify({ connectedMs: connected, backMs: back, mib })}\n`);
    // What is held, without the garbage of a thousand introspections a moment ago.
    expect(held).toBeLessThan(250e6);
    expect(heldAfter).toBeLessThan(250e6);
    expect(back).toBeLessThan(10_000);
  });

  it('are dialled 64 at a time, however many wait', async () => {
    let open = 0;
    let most = 0;
    let dialled = 0;
    const held = new Set<Socket>();
    // A dial is over when TLS is; this server never says a word of it.
    const server = createServer((socket) => {
      dialled++;
      open++;
      most = Math.max(most, open);
      held.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open--;
        held.delete(socket);
      });
      if (open === dialLimit) setImmediate(() => held.forEach((one) => one.destroy()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.keep(server, () => {
      held.forEach((one) => one.destroy());
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    await scene.gateway({ settings: { vms: vmsAt(`tls:127.0.0.1:${port}`) } });
    while (dialled < 3 * count) await once(server, 'connection');
    process.stdout.write(`${JSON.stringify({ dialled, most })}\n`);
    expect(most).toBe(dialLimit);
  });
});
