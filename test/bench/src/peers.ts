import { benchStatus } from './introspection.js';
import { startForwarder, startInstantMonitor, type Server } from './instant-servers.js';
import { buildPeers, type Peer } from './peer-programs.js';
import { startGateway } from './processes.js';
import { sideBySide, type Way } from './side-by-side.js';
import { byHttp, byJsonRpc, bySharedMonitor, restRequest } from './ways.js';

const connections = 32;

/** The gateway beside what others would build for one small query, all in front of the same instant monitor. */
export async function benchPeers(): Promise<void> {
  const { peers, missing } = await buildPeers();
  const titles = { names: 'POST query-status', many: `${connections} connections`, yardstick: 'the forwarder' };
  await sideBySide(titles, () => start(peers));
  for (const { name, toolchain } of peers) process.stdout.write(`${name}: ${toolchain}\n`);
  for (const reason of missing) process.stdout.write(`${reason}\n`);
  process.stdout.write('\n');
}

async function start(peers: readonly Peer[]): Promise<Way[]> {
  const socket = await startInstantMonitor();
  const gateway = await startGateway({ bench: socket }, { sharedMonitors: true });
  const request = restRequest('POST', gateway.token);
  const { pid, port, unixListener } = gateway;
  const http = (name: string, server: Server) => byHttp(name, server, request, connections);
  const others: Way[] = [];
  for (const peer of peers) {
    const server = await peer.start(socket);
    await expectStatus(peer, server);
    others.push(http(peer.name, server));
  }
  return [
    http('bare node:http forwarder', await startForwarder(socket)),
    http('gateway REST', { pid, address: port }),
    http('gateway REST, unix listener', { pid, address: unixListener }),
    byJsonRpc(gateway, connections),
    bySharedMonitor(gateway, connections),
    ...others,
  ];
}

/** A peer that does something else would be compared in vain. */
async function expectStatus({ name }: Peer, { address }: Server): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${address}/v1/vms/bench/qmp/query-status`, {
    ...{ method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } },
  });
  const text = await response.text();
  const value = response.ok ? JSON.stringify(JSON.parse(text)) : text;
  if (value !== JSON.stringify(JSON.parse(benchStatus)))
    throw new Error(`${name} answers ${response.status}: ${value}`);
}
