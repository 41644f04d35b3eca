import { httpLoad } from './http-load.js';
import { benchIntrospection, benchStatus } from './introspection.js';
import { jsonRpcLoad } from './json-rpc-load.js';
import { startGateway, startScript, stopAll } from './processes.js';
import { median, medianRatio, quantile } from './statistics.js';
import { printTable } from './table.js';

const rounds = 7;
const milliseconds = 2000;

/** One small query over and over: the gateway with everything on, beside the bare forwarder, in turns. */
export async function benchForwarding(): Promise<void> {
  const input = JSON.stringify({ 'query-qmp-schema': benchIntrospection, 'query-status': benchStatus });
  // A monitor for each, so that neither pays for the other's connection.
  const { line: bareSocket } = await startScript('./instant-monitor-process.js', [], { input });
  const { line: windowSocket } = await startScript('./instant-monitor-process.js', [], { input });
  const { line: gatewaySocket } = await startScript('./instant-monitor-process.js', [], { input });
  const { line: barePort } = await startScript('./bare-forwarder.js', [bareSocket, 'query-status']);
  const { line: windowPort } = await startScript('./bare-forwarder.js', [windowSocket, 'query-status', '8']);
  const gateway = await startGateway({ bench: gatewaySocket });
  const request =
    `GET /v1/vms/bench/qmp/query-status HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n` +
    `Authorization: Bearer ${gateway.token}\r\nAccept: */*\r\n\r\n`;
  const bare32: number[] = [];
  const window32: number[] = [];
  const rest32: number[] = [];
  const rpc64: number[] = [];
  const bare1: number[] = [];
  const rest1: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const bare = await httpLoad(Number(barePort), request, { connections: 32, milliseconds });
    const windowed = await httpLoad(Number(windowPort), request, { connections: 32, milliseconds });
    const rest = await httpLoad(gateway.port, request, { connections: 32, milliseconds });
    const rpcOptions = { vm: 'bench', command: 'query-status', inFlight: 64, milliseconds };
    const rpc = await jsonRpcLoad(gateway.port, gateway.token, rpcOptions);
    const bareOne = await httpLoad(Number(barePort), request, { connections: 1, milliseconds });
    const restOne = await httpLoad(gateway.port, request, { connections: 1, milliseconds });
    // The first round warms up compilers and caches.
    if (round === 0) continue;
    bare32.push(bare.perSecond);
    window32.push(windowed.perSecond);
    rest32.push(rest.perSecond);
    rpc64.push(rpc);
    bare1.push(quantile(bareOne.microseconds, 0.5));
    rest1.push(quantile(restOne.microseconds, 0.5));
  }
  await stopAll();
  const perSecond = (values: number[]) => `${median(values).toFixed(0)}/s`;
  const ratio = (values: number[]) => medianRatio(values, bare32).toFixed(2);
  printTable([
    ['one small query', 'median', 'to the bare forwarder'],
    ['bare node:http forwarder, 32 connections', perSecond(bare32), '1.00'],
    ['the same with a window of 8, as QEMU has', perSecond(window32), ratio(window32)],
    ['gateway REST, 32 connections', perSecond(rest32), ratio(rest32)],
    ['gateway JSON-RPC, 64 in flight', perSecond(rpc64), ratio(rpc64)],
    ['bare node:http forwarder, 1 connection', `${median(bare1).toFixed(0)} µs`, '1.00'],
    [
      'gateway REST, 1 connection',
      `${median(rest1).toFixed(0)} µs`,
      `+${median(rest1.map((value, at) => value - (bare1[at] ?? NaN))).toFixed(0)} µs`,
    ],
  ]);
}
