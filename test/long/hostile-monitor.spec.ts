import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HostileMonitor, type HostileOptions, type HostileSchema, type ProbedLatency } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { FaultScene } from '../e2e/fault-scene.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { nextSession, registerVm } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { measurable, ProcessProbe } from './soak/process-probe.js';

const probeScript = fileURLToPath(new URL('../../libs/test-kit/dist/latency-probe.js', import.meta.url));
const mebibyte = 2 ** 20;
const warmUpMs = 10_000;
const hostileMs = 60_000;
/** What a hostile VM may fill by right is small here, so that what is measured is what it may not. */
const history = { events: 2000, bytes: '4MiB' };
const scene = new FaultScene();

afterEach(() => scene.end());

async function hostile(options?: HostileOptions): Promise<{ monitor: HostileMonitor; endpoint: string }> {
  const monitor = scene.keep(await HostileMonitor.start(options), (started) => started.stop());
  const { endpoint } = monitor;
  if (endpoint.kind !== 'unix') throw new Error('a hostile monitor listens on a unix socket');
  return { monitor, endpoint: `unix:${endpoint.path}` };
}

/** Resident bytes of a process, as the kernel counts them. */
function residentBytes({ process }: GatewayProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${process.pid}/status`, 'latin1'))?.[1]) * 1024;
}

/** Milliseconds for which the gateway was ready to run and the kernel gave the processor to others. */
function starvedMs({ process }: GatewayProcess): number {
  return Number(readFileSync(`/proc/${process.pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
}

/** Asks a VM by the gateway and by a socket of its own, and the gateway whether it lives, until it is finished. */
function startProbe({ url, token }: GatewayProcess, vm: string, socket: string): () => Promise<ProbedLatency> {
  const args = [`${url}/v1/vms/${vm}/qmp/query-status`, token ?? '', socket, '20', `${url}/livez`];
  const child = spawn(process.execPath, [probeScript, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  scene.keep(child, (one) => void one.kill('SIGKILL'));
  const printed = text(child.stdout);
  return async () => {
    child.stdin.end();
    return JSON.parse(await printed) as ProbedLatency;
  };
}

function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? NaN;
}

it('a minute of everything a server can say costs its neighbours nothing: memory, liveness and commands as before', async () => {
  const gateway = await scene.gateway({ settings: { history }, env: measurable });
  const probes: (() => Promise<ProbedLatency>)[] = [];
  for (let n = 0; n < 3; n++) {
    const qemu = await scene.qemu({ qmpSockets: 2 });
    probes.push(startProbe(gateway, await registerVm(gateway, `unix:${qemu.socket}`), qemu.sockets[1] ?? ''));
  }
  await pause(warmUpMs);
  const probe = scene.keep(await ProcessProbe.attach(gateway), (attached) => attached.close());
  const { heapBytes, residentBytes: before } = await probe.measure();
  const starvedBefore = starvedMs(gateway);

  const schemas: readonly HostileSchema[] = ['modest', 'modest', 'huge', 'deep'];
  const { monitor, endpoint } = await hostile({ schema: (session) => schemas[session % schemas.length] ?? 'modest' });
  await registerVm(gateway, endpoint);
  // What the hostile one does takes a processor; it is not to be the neighbours'.
  setPriority(process.pid, 10);
  const memory: number[] = [];
  const began = performance.now();
  for (let turn = 0; performance.now() - began < hostileMs; turn++) {
    monitor.flap(200);
    monitor.impersonate();
    monitor.bloat();
    monitor.jobs(20);
    if (turn % 4 === 1) monitor.rave(20e6);
    if (turn % 8 === 7) monitor.reconnect();
    await pause(250);
    memory.push(residentBytes(gateway));
  }
  const { heapBytes: heapAfter, residentBytes: held } = await probe.measure();
  probe.close();
  const latencies = await Promise.all(probes.map((finish) => finish()));
  const all = (of: (latency: ProbedLatency) => readonly number[]) => latencies.flatMap(of);
  const starved = (starvedMs(gateway) - starvedBefore) / hostileMs;
  const [commands, direct, looks] = [all(({ gateway: g }) => g), all(({ direct: d }) => d), all(({ looks: l }) => l)];
  const mib = (bytes: number) => Math.round(bytes / mebibyte);
  const report = {
    ...{ starved, sessions: monitor.sessions, turns: memory.length },
    mib: { heap: mib(heapAfter - heapBytes), before: mib(before), held: mib(held), most: mib(Math.max(...memory)) },
    livezMs: { p50: quantile(looks, 0.5), p99: quantile(looks, 0.99), most: Math.max(...looks) },
    commandMs: { p50: quantile(commands, 0.5), p99: quantile(commands, 0.99), most: Math.max(...commands) },
    directMs: { p50: quantile(direct, 0.5), p99: quantile(direct, 0.99), most: Math.max(...direct) },
  };
  process.stdout.write(`hostile monitor: ${JSON.stringify(report, null, 1)}\n`);

  expect(monitor.sessions).toBeGreaterThan(5);
  // What is held, and with it what collector and C library leave lying while there is room.
  expect(heapAfter - heapBytes).toBeLessThan(30 * mebibyte);
  expect(held - before).toBeLessThan(100 * mebibyte);
  expect(Math.max(...memory) - before).toBeLessThan(200 * mebibyte);
  // What the gateway owes while it has a processor when it needs one; see flood.spec.ts.
  const noiseMs = starved < 0.1 ? 0 : 10 * report.directMs.p99;
  expect(report.livezMs.p99).toBeLessThan(50 + noiseMs);
  expect(report.commandMs.p99).toBeLessThan(20 + noiseMs);
  // One line for each kind and minute.
  const odd = gateway.log().filter(({ msg }) => msg === 'odd bytes from a vm');
  expect(odd.length).toBeLessThan(40);
});

it('2,000 flaps of a VM with a long name, and its sessions, leave nothing behind', async () => {
  const gateway = await scene.gateway({
    settings: { history: { events: 500, bytes: '1MiB' } },
    args: ['--log-level', 'error'],
    env: measurable,
  });
  const { monitor, endpoint } = await hostile({ nameLength: 500_000, constant: true });
  const vm = await registerVm(gateway, endpoint);
  const probe = scene.keep(await ProcessProbe.attach(gateway), (attached) => attached.close());

  /** Flaps and says so at the end, then is away for a moment. */
  const flap = async (times: number, sessions: number): Promise<void> => {
    for (let session = 0; session < sessions; session++) {
      const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
      monitor.flap(times / sessions);
      monitor.jobs(10);
      monitor.fake.emit('WAKEUP');
      const page = await exchange(gateway, `/v1/events?event=WAKEUP&after=${cursor}&wait=30s&limit=1`);
      expect([200, 410]).toContain(page.status);
      const { epoch } = (await exchange(gateway, `/v1/vms/${vm}`)).json() as { epoch: string };
      monitor.reconnect();
      await nextSession(gateway, vm, epoch);
    }
  };
  await flap(1000, 8);
  const before = await probe.measure();
  await flap(2000, 16);
  const after = await probe.measure();
  probe.close();
  const grown = (after.heapBytes - before.heapBytes) / mebibyte;
  process.stdout.write(`${JSON.stringify({ grownMiB: grown, handles: after.handles - before.handles })}\n`);
  expect(grown).toBeLessThan(4);
  expect(after.handles - before.handles).toBeLessThan(5);
  expect(after.openFiles - before.openFiles).toBeLessThan(5);
});
