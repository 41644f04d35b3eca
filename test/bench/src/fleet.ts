import { readFileSync } from 'node:fs';
import { freePort, inspectedAt, Inspector } from './inspector.js';
import { benchIntrospection, benchStatus } from './introspection.js';
import { processorMs, startGateway, startScript, stopAll } from './processes.js';
import { median } from './statistics.js';
import { printTable } from './table.js';

const rounds = 10;
const idleMs = 3000;

/** What many VMs cost: memory and processor time of an idle gateway, and one command for all of them. */
export async function benchFleet(): Promise<void> {
  const rows: string[][] = [
    ['VMs', 'resident memory', 'collected', 'processor, idle', 'GET /v1/vms', 'fan-out of query-status'],
  ];
  for (const count of [1, 100, 1000]) rows.push(await measure(count));
  printTable(rows);
}

async function measure(count: number): Promise<string[]> {
  const input = JSON.stringify({ 'query-qmp-schema': benchIntrospection, 'query-status': benchStatus });
  const { line: socket } = await startScript('./instant-monitor-process.js', [], { input });
  const inspector = await freePort();
  const vms = Object.fromEntries(Array.from({ length: count }, (_, i) => [`vm-${i}`, socket]));
  const gateway = await startGateway(vms, { nodeArguments: inspectedAt(inspector) });
  const url = `http://127.0.0.1:${gateway.port}/v1`;
  const headers = { Authorization: `Bearer ${gateway.token}` };
  const timed = async (path: string, method: string) => {
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const started = performance.now();
      const text = await (await fetch(`${url}${path}`, { method, headers })).text();
      if (round > 0) times.push(performance.now() - started);
      if (method === 'POST' && !text.endsWith(`{"end":true,"selected":${count},"ok":${count},"failed":0}\n`))
        throw new Error(`a fan-out did not reach all: ${text.slice(-200)}`);
    }
    return median(times);
  };
  const fanOut = await timed('/qmp/query-status?vm=*', 'POST');
  const list = await timed('/vms', 'GET');
  const before = processorMs(gateway.pid);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const idle = ((processorMs(gateway.pid) - before) / idleMs) * 100;
  const resident = residentMiB(gateway.pid);
  await collectGarbage(inspector);
  const collected = residentMiB(gateway.pid);
  await stopAll();
  return [
    String(count),
    `${resident.toFixed(0)} MiB`,
    `${collected.toFixed(0)} MiB`,
    `${idle.toFixed(1)} %`,
    `${list.toFixed(1)} ms`,
    `${fanOut.toFixed(0)} ms`,
  ];
}

/** Resident memory of a process. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** What is left is in use; a process that is never short of memory collects late. */
export async function collectGarbage(inspector: number): Promise<void> {
  const process = await Inspector.attach(inspector);
  for (let round = 0; round < 3; round++) await process.ask('HeapProfiler.collectGarbage');
  process.close();
  // Freed pages are given back a little later.
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
