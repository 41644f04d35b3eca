import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { FaultProxy, RawQmpClient, launchQemu, type Qemu } from '@qmp-gateway/test-kit';
import { DirectClient } from './direct-client.js';
import { httpLoad } from './http-load.js';
import { processorMs, startGateway, startScript, stopAll, type BenchGateway } from './processes.js';
import { median, medianRatio, quantile } from './statistics.js';
import { printTable } from './table.js';

/** Short and many, so that whatever else the machine does falls on all alike. */
const rounds = 25;
const milliseconds = 400;

/** As many as QEMU queues. */
const window = 8;

/** Of `{"execute":"query-status","id":"bare-1"}` and a newline. */
const forwarderBytes = 42;

/** What one way to ask has shown, a number for each round. */
interface Shown {
  readonly name: string;
  readonly bytes: number;
  /** Commands a second with a full window, or with 32 connections. */
  readonly perSecond: number[];
  /** Microseconds of a command, one at a time. */
  readonly one: number[];
  /** Microseconds of QEMU's processor time for a command with a full window: says most on a busy machine. */
  readonly processor: number[];
  many(): Promise<number>;
  single(): Promise<number>;
}

/**
 * One small query at a real QEMU, which reads its monitor byte by byte: the gateway beside a client of its own. Once as
 * hosts are that keep a processor for a VM, once with all processors for all.
 */
export async function benchRealQemu(): Promise<void> {
  if (cpus().length > 1 && hasTaskset()) await benchOnce(true);
  await benchOnce(false);
}

async function benchOnce(apart: boolean): Promise<void> {
  const qemu = await launched();
  if (qemu === null) return;
  try {
    await compare(qemu, apart);
  } finally {
    await stopAll();
    await qemu.stop();
  }
}

async function launched(): Promise<Qemu | null> {
  const { QEMU: binary } = process.env;
  try {
    return await launchQemu({ qmpSockets: 4, ...(binary === undefined ? {} : { binary }) });
  } catch (error) {
    process.stdout.write(`real-qemu: no ${binary ?? 'qemu-system-x86_64'} here (${String(error)})\n\n`);
    return null;
  }
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** All threads of a process on these processors, `0` or `1-7`. */
function keepOn(processors: string, pid: number | undefined): void {
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', processors, String(pid)], { stdio: 'ignore' });
}

async function compare(qemu: Qemu, apart: boolean): Promise<void> {
  const [own = '', forwarded = '', direct = '', overheard = ''] = qemu.sockets;
  const last = cpus().length - 1;
  const rest = apart ? `1-${last}` : `0-${last}`;
  if (hasTaskset()) keepOn(rest, process.pid);
  const release = await releaseAt(direct);
  const bytes = await bytesOfGateway(overheard);
  const client = await DirectClient.open(direct);
  const forwarder = await startScript('./bare-forwarder.js', [forwarded, 'query-status', String(window)]);
  const gateway = await startGateway({ bench: own });
  if (apart) keepOn('0', qemu.process.pid);
  const ways = [
    overHttp('gateway REST, 32 connections and 1', gateway.port, requestTo(gateway), bytes),
    overHttp('bare node:http forwarder', Number(forwarder.line), requestTo(gateway), forwarderBytes),
    // The shortest by which a reply can be told from others, and the shortest that QMP allows.
    directly(client, 'direct client, shortest message with an id', '{"execute":"query-status","id":1}'),
    directly(client, 'direct client, shortest message', '{"execute":"query-status"}'),
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) await measureOnce(way, qemu.process.pid ?? 0);
    // The first round warms up compilers and caches.
    if (round === 0)
      for (const { perSecond, one, processor } of ways) for (const all of [perSecond, one, processor]) all.pop();
  }
  client.close();
  if (apart) keepOn(`0-${last}`, process.pid);
  print(`QEMU ${release}${apart ? ' on a processor of its own' : ''}`, ways);
}

async function measureOnce(way: Shown, qemu: number): Promise<void> {
  const before = processorMs(qemu);
  const began = performance.now();
  const perSecond = await way.many();
  const commands = (perSecond * (performance.now() - began)) / 1000;
  way.perSecond.push(perSecond);
  way.processor.push(((processorMs(qemu) - before) * 1000) / commands);
  way.one.push(await way.single());
}

function directly(client: DirectClient, name: string, message: string): Shown {
  return {
    ...{ name, bytes: message.length, perSecond: [], one: [], processor: [] },
    many: async () => (await client.load(message, { window, milliseconds })).perSecond,
    single: async () => (await client.load(message, { window: 1, milliseconds })).microseconds,
  };
}

function overHttp(name: string, port: number, request: string, bytes: number): Shown {
  const load = (connections: number) => httpLoad(port, request, { connections, milliseconds });
  return {
    ...{ name, bytes, perSecond: [], one: [], processor: [] },
    many: async () => (await load(32)).perSecond,
    single: async () => quantile((await load(1)).microseconds, 0.5),
  };
}

/** What it writes for each query. */
async function bytesOfGateway(socketPath: string): Promise<number> {
  const proxy = await FaultProxy.start(socketPath);
  let heard = '';
  proxy.sent = (bytes) => (heard += bytes.toString());
  const gateway = await startGateway({ bench: proxy.endpoint.path });
  await httpLoad(gateway.port, requestTo(gateway), { connections: 32, milliseconds: 200 });
  await stopAll();
  await proxy.stop();
  const queries = heard.match(/\{"execute":"query-status"(?:,"arguments":\{\})?,"id":[^}]*\}\n?/g) ?? [];
  return median(queries.map(({ length }) => length));
}

function print(where: string, ways: readonly Shown[]): void {
  const yardstick = ways[2] as Shown;
  const rows = ways.map(({ name, bytes, perSecond, one, processor }) => [
    name,
    String(bytes),
    `${median(perSecond).toFixed(0)}/s`,
    medianRatio(perSecond, yardstick.perSecond).toFixed(2),
    `${(processor.reduce((sum, value) => sum + value, 0) / processor.length).toFixed(0)} µs`,
    `${median(one).toFixed(0)} µs`,
    `${median(one.map((value, round) => value - (yardstick.one[round] ?? NaN))).toFixed(0)} µs`,
  ]);
  const head = [`query-status, ${where}`, 'bytes', '8 in flight', 'ratio', "QEMU's processor", 'one', 'more'];
  printTable([head, ...rows]);
}

function requestTo(gateway: BenchGateway): string {
  return (
    `POST /v1/vms/bench/qmp/query-status HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n` +
    `Authorization: Bearer ${gateway.token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
  );
}

/** What its greeting says. */
async function releaseAt(socketPath: string): Promise<string> {
  const client = await RawQmpClient.connect(socketPath);
  const greeting = (await client.line()) ?? '';
  client.close();
  const [, micro, minor, major] = /"micro": (\d+), "minor": (\d+), "major": (\d+)/.exec(greeting) ?? [];
  return `${major}.${minor}.${micro}`;
}
