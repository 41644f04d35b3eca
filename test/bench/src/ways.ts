import type { LoadResult } from './closed-loop.js';
import type { Server } from './instant-servers.js';
import { httpLoad } from './http-load.js';
import { jsonRpcLoad } from './json-rpc-load.js';
import { monitorLoad } from './monitor-load.js';
import type { BenchGateway } from './processes.js';
import type { Way } from './side-by-side.js';

const command = 'query-status';

/** By HTTP, on as many connections. */
export function byHttp(name: string, { pid, address }: Server, request: string, connections: number): Way {
  const load = (count: number) => (milliseconds: number) =>
    httpLoad(address, request, { connections: count, milliseconds });
  return wayOf({ name, pid }, load, connections);
}

/** By JSON-RPC over one WebSocket, with as many requests in flight. */
export function byJsonRpc({ port, token, pid }: BenchGateway, inFlight: number): Way {
  const load = (count: number) => (milliseconds: number) =>
    jsonRpcLoad(port, token, { vm: 'bench', command, inFlight: count, milliseconds });
  return wayOf({ name: `gateway JSON-RPC, one WebSocket, ${inFlight} in flight`, pid }, load, inFlight);
}

/** As native QMP, from as many clients of the shared monitor. */
export function bySharedMonitor({ monitors, pid }: BenchGateway, clients: number): Way {
  const message = JSON.stringify({ execute: command, id: 1 });
  const load = (count: number) => (milliseconds: number) =>
    monitorLoad(`${monitors}/bench.sock`, message, { clients: count, milliseconds });
  return wayOf({ name: `gateway shared monitor, ${clients} clients`, pid }, load, clients);
}

/** A request for the command by REST. Those who know no token ignore it. */
export function restRequest(method: 'GET' | 'POST', token: string): string {
  const head = `${method} /v1/vms/bench/qmp/${command} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`;
  return method === 'GET'
    ? `${head}Accept: */*\r\n\r\n`
    : `${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;
}

function wayOf(
  { name, pid }: { readonly name: string; readonly pid: number },
  load: (count: number) => (milliseconds: number) => Promise<LoadResult>,
  many: number,
): Way {
  return { name, pid, many: load(many), single: load(1) };
}
