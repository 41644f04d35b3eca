import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { floodBootSector, type ProbedLatency } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, registerVm, run } from '../e2e/gateway-scene.js';
import { subscribeByLines, subscribeBySocket, type EventSubscriber } from './event-subscribers.js';

const probeScript = fileURLToPath(new URL('../../libs/test-kit/dist/latency-probe.js', import.meta.url));
const floodMs = 62_000;
/** When one of the two stuck subscribers begins to read again. */
const reliefMs = 45_000;
const mebibyte = 2 ** 20;

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await scene.gateway({ args: ['--log-level', 'warn'] });
});
afterAll(() => scene.end());

/** Resident bytes of a process, as the kernel counts them. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}

/**
 * Lets those of a lower number have the processor first. The guest, QEMU's main loop and a dozen subscribers would take
 * two cores whole; where there are no more, what is measured would be how the kernel shares them.
 */
function yieldProcessor(pid: number, nice: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), nice);
}

/** Milliseconds for which a process was ready to run and the kernel gave the processor to others. */
function starvedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
}

/** Asks a VM the whole time what its state is, by the gateway and by a socket of its own. */
function startProbe(vm: string, socket: string): { finish(): Promise<ProbedLatency> } {
  const url = `${gateway.url}/v1/vms/${vm}/qmp/query-status`;
  const child = spawn(process.execPath, [probeScript, url, gateway.token ?? '', socket, '10'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  scene.keep(child, (one) => void one.kill('SIGKILL'));
  const printed = text(child.stdout);
  return {
    finish: async () => {
      child.stdin.end();
      return JSON.parse(await printed) as ProbedLatency;
    },
  };
}

function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? NaN;
}

async function head(): Promise<string> {
  return ((await (await gateway.fetch('/v1/vms')).json()) as { cursor: string }).cursor;
}

const numberOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf('.') + 1));

it('a guest that floods costs nobody else: memory bounded, other VMs quick, every event accounted for', async () => {
  const directory = scene.directory();
  const image = path.join(directory, 'flood.img');
  writeFileSync(image, floodBootSector());
  const flooding = await scene.qemu({
    machine: 'pc',
    accel: 'tcg',
    args: ['-device', 'pvpanic', '-drive', `if=floppy,format=raw,file=${image}`],
  });
  yieldProcessor(flooding.process.pid ?? 0, 19);
  const quiet = await scene.qemu({ qmpSockets: 2 });
  const flood = await registerVm(gateway, `unix:${flooding.socket}`);
  const other = await registerVm(gateway, `unix:${quiet.socket}`);

  const start = await head();
  const keep = (subscriber: EventSubscriber) => scene.keep(subscriber, (one) => one.close());
  const fast: EventSubscriber[] = [];
  for (let i = 0; i < 5; i++) {
    fast.push(keep(await subscribeBySocket(gateway, start)));
    fast.push(keep(await subscribeByLines(gateway, start)));
  }
  const relieved = keep(await subscribeBySocket(gateway, start));
  const stuck = keep(await subscribeBySocket(gateway, start));
  relieved.pause();
  stuck.pause();

  const probe = startProbe(other, quiet.sockets[1] ?? '');
  yieldProcessor(process.pid, 10);
  expect((await run(gateway, flood, 'cont')).status).toBe(200);
  const began = performance.now();
  const memory = { qemu: [] as number[], gateway: [] as number[] };
  const starvedBefore = starvedMs(gateway.process.pid ?? 0);
  for (let now = 0; now < floodMs; now = performance.now() - began) {
    if (now > reliefMs) relieved.resume();
    memory.qemu.push(residentBytes(flooding.process.pid ?? 0));
    memory.gateway.push(residentBytes(gateway.process.pid ?? 0));
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const latency = await probe.finish();
  expect((await run(gateway, flood, 'stop')).status).toBe(200);
  // What QEMU wrote before its answer is numbered by now; what comes after is the news that it stopped.
  const end = numberOf(await head());
  await Promise.all([...fast, relieved].map(({ tally }) => tally.reached(end)));

  const published = end - numberOf(start);
  const starved = (starvedMs(gateway.process.pid ?? 0) - starvedBefore) / floodMs;
  const report = {
    starved,
    eventsPerSecond: Math.round(published / (floodMs / 1000)),
    requests: latency.gateway.length,
    gatewayMs: { p50: quantile(latency.gateway, 0.5), p99: quantile(latency.gateway, 0.99) },
    directMs: { p50: quantile(latency.direct, 0.5), p99: quantile(latency.direct, 0.99) },
    qemuMiB: [memory.qemu[4], Math.max(...memory.qemu)].map((bytes) => Math.round((bytes ?? NaN) / mebibyte)),
    gatewayMiB: [memory.gateway[4], Math.max(...memory.gateway)].map((bytes) => Math.round((bytes ?? NaN) / mebibyte)),
    fast: fast.map(({ tally: { events, missed, gaps } }) => ({ events, missed, gaps })),
    relieved: { events: relieved.tally.events, missed: relieved.tally.missed, gaps: relieved.tally.gaps },
  };
  process.stdout.write(`flood: ${JSON.stringify(report, null, 1)}\n`);

  // What the guest makes: less of a flood where it does not get a processor.
  expect(report.eventsPerSecond).toBeGreaterThan(starved < 0.1 ? 5000 : 500);
  for (const { tally } of [...fast, relieved]) {
    expect(tally.faults).toEqual([]);
    expect(tally.unaccounted).toBe(0);
  }
  expect(relieved.tally.missed).toBeGreaterThan(0);
  // Taking nothing for 60 s ended the other.
  stuck.resume();
  expect(await stuck.closed).toBe(4408);
  // QEMU would grow by 10 MB a second where its monitor is not drained.
  expect(Math.max(...memory.qemu) - (memory.qemu[4] ?? 0)).toBeLessThan(32 * mebibyte);
  // The history's 64 MiB, the budgets of the stuck and what V8 leaves lying.
  expect(Math.max(...memory.gateway)).toBeLessThan(512 * mebibyte);
  expect(Math.max(...memory.gateway.slice(-10))).toBeLessThan(1.25 * Math.max(...memory.gateway.slice(10, 20)));
  // 20 ms is what the gateway owes while it has a processor when it needs one. Where the kernel gave it to others for a
  // good part of the time, only a command that waited ten times longer than a bare socket's would be its own fault.
  const noiseMs = starved < 0.1 ? 0 : 10 * report.directMs.p99;
  expect(report.gatewayMs.p99).toBeLessThan(20 + noiseMs);
});
