import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { launchQemu, repaintBootSector } from '@qmp-gateway/test-kit';
import { startInstantMonitor } from './instant-servers.js';
import { freePort } from './inspector.js';
import { buildWebsockify } from './peer-programs.js';
import { startGateway, startProgram, startScript, stopAll, type BenchGateway } from './processes.js';
import { DisplayReader } from './display-reader.js';
import { median, medianRatio } from './statistics.js';
import { printTable } from './table.js';

const rounds = 5;
const milliseconds = 1000;
const pauseMs = 500;
const warmUpMs = 5000;
const viewers = 50;
const watchedMs = 10_000;

/** Displays: what one viewer gets beside websockify, and what many cost everybody else. */
export async function benchDisplays(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'qmp-gateway-bench-'));
  try {
    await benchThroughput(directory);
    await benchViewers(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One viewer of a display that writes as fast as it is read. */
async function benchThroughput(directory: string): Promise<void> {
  const display = join(directory, 'display');
  await startScript('./flooding-display.js', [display]);
  const monitor = await startInstantMonitor({ vncSocket: display });
  const gateway = await startGateway({ bench: monitor });
  const ways = [{ name: 'gateway', open: () => throughGateway(gateway), perSecond: [] as number[] }];
  const peer = await buildWebsockify();
  if (typeof peer === 'string') process.stdout.write(`websockify: ${peer}\n`);
  else {
    const port = await freePort();
    const [program, ...args] = peer.program;
    await startProgram(program, [...args, `127.0.0.1:${port}`, `--unix-target=${display}`], {
      line: /WebSocket server settings/,
    });
    await untilItListens(port);
    ways.unshift({
      name: `websockify, ${peer.toolchain}`,
      open: () => DisplayReader.open(`ws://127.0.0.1:${port}`),
      perSecond: [],
    });
  }
  for (let round = 0; round <= rounds; round++)
    for (const { open, perSecond } of round % 2 === 0 ? ways : ways.toReversed()) {
      const reader = await open();
      // Buffers of sockets grow as they are used, and the first round warms up compilers.
      await reader.bytesIn(round === 0 ? warmUpMs : pauseMs);
      const bytes = await reader.bytesIn(milliseconds);
      reader.close();
      await pause(pauseMs);
      if (round > 0) perSecond.push((bytes * 1000) / milliseconds / 2 ** 20);
    }
  const [yardstick] = ways;
  printTable([
    ['one viewer of a display that never rests', 'MiB/s', 'to the first'],
    ...ways.map(({ name, perSecond }) => [
      ...[name, median(perSecond).toFixed(0), medianRatio(perSecond, yardstick?.perSecond ?? []).toFixed(2)],
    ]),
  ]);
  await stopAll();
}

/** Commands to another VM while many look at a real one that repaints its screen for ever. */
async function benchViewers(directory: string): Promise<void> {
  const [floppy, socket] = [join(directory, 'floppy'), join(directory, 'vnc')];
  writeFileSync(floppy, repaintBootSector());
  const disk = ['-drive', `if=floppy,format=raw,file=${floppy}`];
  const qemu = await launchQemu({
    machine: 'pc',
    accel: 'tcg',
    args: ['-device', 'VGA', '-vnc', `unix:${socket},connections=${viewers}`, ...disk],
  });
  try {
    const gateway = await startGateway({ bench: await startInstantMonitor(), painter: qemu.socket });
    await fetch(`http://127.0.0.1:${gateway.port}/v1/vms/painter/qmp/cont`, {
      ...{ method: 'POST', headers: { Authorization: `Bearer ${gateway.token}` } },
    });
    const rows = [];
    for (const count of [0, 1, viewers]) rows.push(await watched(gateway, count));
    printTable([
      ['viewers of a VM that repaints for ever', 'MiB/s', 'pictures a second', 'memory', 'p50', 'p99 of query-status'],
      ...rows,
    ]);
    await stopAll();
  } finally {
    await qemu.stop();
  }
}

async function watched(gateway: BenchGateway, count: number): Promise<string[]> {
  const readers = await Promise.all(
    Array.from({ length: count }, () => throughGateway(gateway, 'painter', { asks: true })),
  );
  const began = readers.map(({ bytes, updates }) => ({ bytes, updates }));
  const asked = await startScript('./asking-process.js', [String(gateway.port), gateway.token, String(watchedMs)]);
  const [p50 = NaN, p99 = NaN] = asked.line.split(' ').map(Number);
  const total = (key: 'bytes' | 'updates') =>
    readers.reduce((sum, reader, at) => sum + reader[key] - (began[at]?.[key] ?? 0), 0);
  const memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]) / 1024;
  for (const reader of readers) reader.close();
  const perViewer = count === 0 ? 0 : total('updates') / count / (watchedMs / 1000);
  return [
    ...[String(count), (total('bytes') / 2 ** 20 / (watchedMs / 1000)).toFixed(0), perViewer.toFixed(1)],
    ...[`${memory.toFixed(0)} MiB`, `${(p50 / 1000).toFixed(1)} ms`],
    `${(p99 / 1000).toFixed(1)} ms`,
  ];
}

function throughGateway(gateway: BenchGateway, vm = 'bench', options = {}): Promise<DisplayReader> {
  const url = `ws://127.0.0.1:${gateway.port}/v1/vms/${vm}/displays/default/rfb?view=true`;
  return DisplayReader.open(url, { ...options, headers: { Authorization: `Bearer ${gateway.token}` } });
}

/** It says that it is ready before it is. */
async function untilItListens(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1');
    const listens = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (listens === true) return;
    await pause(50);
  }
}
