import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { resultOf, type LoadResult } from './closed-loop.js';
import { startInstantMonitor } from './instant-servers.js';
import { startGateway, startProgram, startScript, temporaryDirectory } from './processes.js';
import { sideBySide, type Way } from './side-by-side.js';
import { byHttp, restRequest } from './ways.js';

const connections = 32;
const subject = 'bench.hop';
/** What an entry and an owner send each other for a small command: frame, head, principal; head of the answer and value. */
const requestBytes = 520;
const answerBytes = 480;
const names = { owner: 'command at the owner', entry: 'the same through an entry', nats: 'bare NATS request' };

/** A command for a VM of another node: what the hop costs beside the command itself and a bare request over NATS. */
export async function benchFleetHop(): Promise<void> {
  const shown = await sideBySide(
    { names: 'GET query-status', many: `${connections} at a time`, yardstick: 'the owner' },
    start,
  );
  const [owner, entry, nats] = [names.owner, names.entry, names.nats].map((name) => shown.get(name));
  if (owner === undefined || entry === undefined || nats === undefined) return;
  const both = 1 / (1 / owner.perSecond + 1 / nats.perSecond);
  process.stdout.write(
    `Through an entry: ${(entry.perSecond / both).toFixed(2)} of the throughput, ` +
      `${(entry.one / (owner.one + nats.one)).toFixed(2)} times the latency of the command and a bare request together.\n\n`,
  );
}

async function start(): Promise<Way[]> {
  const url = await startNats();
  const socket = await startInstantMonitor();
  const fleet = { name: 'bench', servers: [url] };
  const owner = await startGateway({ bench: socket }, { settings: { fleet: { ...fleet, node: 'owner' } } });
  const entry = await startGateway({}, { settings: { fleet: { ...fleet, node: 'entry' } } });
  const responder = await startScript('./nats-responder.js', [url, subject, String(answerBytes)]);
  const request = restRequest('GET', owner.token);
  await untilThere(entry.port, owner.token);
  return [
    byHttp(names.owner, { pid: owner.pid, address: owner.port }, request, connections),
    byHttp(names.entry, { pid: entry.pid, address: entry.port }, request, connections),
    await byNats(url, responder.process.pid ?? 0),
  ];
}

async function startNats(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const directory = temporaryDirectory();
  const place = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory];
  // It says that it is ready where errors go.
  const program = process.env['NATS_SERVER'] ?? 'nats-server';
  await startProgram('sh', ['-c', 'exec "$0" "$@" 2>&1', program, ...place], { line: /Server is ready/ });
  return `nats://127.0.0.1:${port}`;
}

/** The entry knows the VM and the token. */
async function untilThere(port: number, token: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/vms/bench/qmp/query-status`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    if (answer.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function byNats(servers: string, pid: number): Promise<Way> {
  const connection = await connect({ servers });
  const load = (count: number) => (milliseconds: number) => natsLoad(connection, count, milliseconds);
  return { name: names.nats, pid, many: load(connections), single: load(1) };
}

/** Closed loop: as many requests in flight, each followed by the next. */
async function natsLoad(connection: NatsConnection, count: number, milliseconds: number): Promise<LoadResult> {
  const request = new Uint8Array(requestBytes);
  const times: number[] = [];
  const started = performance.now();
  const until = started + milliseconds;
  const loop = async (): Promise<void> => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      await connection.request(subject, request);
      times.push((performance.now() - sentAt) * 1000);
    }
  };
  await Promise.all(Array.from({ length: count }, loop));
  return resultOf(times.length, performance.now() - started, times);
}
