import { Kvm, type KV } from '@nats-io/kv';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import {
  batchHeaderName,
  encodeBatch,
  encodeNodeRecord,
  encodeSnapshot,
  FleetSubjects,
  heartbeatId,
  tokenOf,
  type SnapshotVm,
} from '@qmp-gateway/fleet-protocol';
import { NatsServers } from '@qmp-gateway/test-kit';
import { gzipSync } from 'node:zlib';
import { collectGarbage, residentMiB } from './fleet.js';
import { freePort, inspectedAt } from './inspector.js';
import { processorMs, startGateway, stopAll } from './processes.js';
import { median } from './statistics.js';
import { printTable } from './table.js';

const fleet = 'bench';
const vmsOfNode = 100;
const heartbeatMs = 5000;
const rounds = 20;
const busyMs = 10_000;
const writesAtOnce = 50;

/** What it costs an entry to know a large fleet: its start, its memory, its lists. The nodes are simulated, NATS is real. */
export async function benchFleetSize(): Promise<void> {
  const rows: string[][] = [
    [
      ...[
        'nodes',
        'VMs',
        'complete after',
        'page of 100',
        'in the middle',
        'of one node',
        'all',
        'resident',
        'collected',
      ],
      'processor, heartbeats only',
    ],
  ];
  for (const nodes of [10, 100, 1000]) rows.push(await measure(nodes));
  printTable(rows);
}

async function measure(nodes: number): Promise<string[]> {
  const servers = await NatsServers.start();
  const connection = await connect({ servers: servers.urls });
  try {
    const names = Array.from({ length: nodes }, (_, at) => `host-${at}`);
    await writeRecords(connection, names);
    const beats = heartbeats(connection, names);
    const cells = await measureEntry(servers, nodes);
    clearInterval(beats);
    return cells;
  } finally {
    await stopAll();
    await connection.close();
    await servers.stop();
  }
}

async function measureEntry(servers: NatsServers, nodes: number): Promise<string[]> {
  const inspector = await freePort();
  const settings = { fleet: { name: fleet, node: 'entry', servers: servers.urls } };
  const gateway = await startGateway({}, { settings, nodeArguments: inspectedAt(inspector) });
  const ask = async (path: string): Promise<Record<string, unknown>> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/v1/${path}`, {
      headers: { Authorization: `Bearer ${gateway.token}` },
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  const listening = performance.now();
  const known = async (): Promise<number> =>
    ((await ask('nodes'))['nodes'] as { vms: number }[]).reduce((sum, { vms }) => sum + vms, 0);
  while ((await known()) < nodes * vmsOfNode) await new Promise((resolve) => setTimeout(resolve, 20));
  const complete = performance.now() - listening;
  const timed = async (path: string, times: number): Promise<number> => {
    const taken: number[] = [];
    for (let round = 0; round <= times; round++) {
      const began = performance.now();
      await ask(path);
      if (round > 0) taken.push(performance.now() - began);
    }
    return median(taken);
  };
  const { cursor } = (await ask('vms?limit=1')) as { cursor: string };
  const middle = encodeURIComponent(`${cursor}~host-5-vm-50~host-5`);
  const page = await timed('vms?limit=100', rounds);
  const inTheMiddle = await timed(`vms?limit=100&continue=${middle}`, rounds);
  const ofNode = await timed('vms?limit=100&node=host-7', rounds);
  const all = await timed('vms', 3);
  const before = processorMs(gateway.pid);
  await new Promise((resolve) => setTimeout(resolve, busyMs));
  const busy = ((processorMs(gateway.pid) - before) / busyMs) * 100;
  const resident = residentMiB(gateway.pid);
  await collectGarbage(inspector);
  const milliseconds = [complete, page, inTheMiddle, ofNode, all].map((value) => `${value.toFixed(1)} ms`);
  const memory = [resident, residentMiB(gateway.pid)].map((value) => `${value.toFixed(0)} MiB`);
  return [String(nodes), String(nodes * vmsOfNode), ...milliseconds, ...memory, `${busy.toFixed(1)} %`];
}

async function writeRecords(connection: NatsConnection, names: readonly string[]): Promise<void> {
  const kv = await new Kvm(connection).create(new FleetSubjects(fleet).nodeBucket, { history: 1 });
  for (let at = 0; at < names.length; at += writesAtOnce)
    await Promise.all(names.slice(at, at + writesAtOnce).map((name) => writeRecord(kv, name)));
}

async function writeRecord(kv: KV, node: string): Promise<void> {
  const vms = Array.from({ length: vmsOfNode }, (_, at) => vmOf(`${node}-vm-${at}`));
  const record = {
    ...{ node, run: `run${node.replace('-', '')}`, identity: node, version: '0.1.0', speaks: [1] },
    ...({ number: 0, sequence: 0, isClaim: false, vms: vms.length, slot: 0, pieces: 0 } as const),
  };
  await kv.put(tokenOf(node), encodeNodeRecord(record, gzipSync(encodeSnapshot(vms), { level: 1 })));
}

/** As long as the views of real VMs. */
function vmOf(id: string): SnapshotVm {
  const labels = { tenant: `tenant-${id.length}`, rack: 'r12' };
  const view = {
    ...{ id, state: 'ready', health: 'ok', runState: 'running', since: '2026-01-31T12:00:00.000Z' },
    ...{ epoch: 'k3j5l8m2p9q1.17', kind: 'qemu', version: '10.2.0', name: `guest ${id}` },
    ...{ uuid: '6f3e0a52-9f0c-4f0e-9a55-8a1f5f6f2f10', capabilities: ['oob'], display: true },
    ...{ schema: 'b7f1c0de5a2944e0a1d3', source: 'discovery', labels },
  };
  const full = JSON.stringify({ ...view, package: 'v10.2.0', endpoint: `unix:/run/qemu/${id}.qmp`, lastError: null });
  return { id, labels, epoch: view.epoch, full, reduced: JSON.stringify({ ...view, lastError: null }) };
}

/** Every node is heard, as often as real ones. */
function heartbeats(connection: NatsConnection, names: readonly string[]): NodeJS.Timeout {
  const subjects = new FleetSubjects(fleet);
  let at = 0;
  let beat = 0;
  const everyMs = 50;
  const share = Math.max(1, Math.ceil((names.length * everyMs) / heartbeatMs));
  return setInterval(() => {
    for (let sent = 0; sent < share; sent++) {
      const node = names[at++ % names.length] as string;
      const head = { node, run: `run${node.replace('-', '')}`, first: 1, last: 0, at: performance.now(), fields: {} };
      const { header, payload } = encodeBatch({ ...head, lines: [] });
      const message = headers();
      message.set(batchHeaderName, header);
      message.set('Nats-Msg-Id', heartbeatId(head, ++beat));
      connection.publish(subjects.events(node), payload, { headers: message });
    }
  }, everyMs);
}
