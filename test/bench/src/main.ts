/**
 * `npm run bench`: what the gateway costs, as ratios of interleaved runs on one machine. Absolute numbers say little on
 * another machine; the ratio to a bare forwarder against the same instant monitor in the same minute says a lot.
 */
import { httpLoad, quantile } from './http-load.js';
import { benchIntrospection } from './introspection.js';
import { jsonRpcLoad } from './json-rpc-load.js';
import { startGateway, startScript, stopAll } from './processes.js';

const rounds = 5;
const milliseconds = 2000;
const status = '{"status": "running", "singlestep": false, "running": true}';

const { line: socket } = await startScript('./instant-monitor-process.js', [], {
  input: JSON.stringify({ 'query-qmp-schema': benchIntrospection, 'query-status': status }),
});
const { line: barePort } = await startScript('./bare-forwarder.js', [socket, 'query-status']);
const { line: gatewaySocket } = await startScript('./instant-monitor-process.js', [], {
  input: JSON.stringify({ 'query-qmp-schema': benchIntrospection, 'query-status': status }),
});
const gateway = await startGateway({ bench: gatewaySocket });

const get = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nAuthorization: Bearer ${gateway.token}\r\nAccept: */*\r\n\r\n`;
const request = get('/v1/vms/bench/qmp/query-status');

const bare32: number[] = [];
const rest32: number[] = [];
const rpc64: number[] = [];
const bare1: number[] = [];
const rest1: number[] = [];
for (let round = 0; round <= rounds; round++) {
  const bare = await httpLoad(Number(barePort), request, { connections: 32, milliseconds });
  const rest = await httpLoad(gateway.port, request, { connections: 32, milliseconds });
  const rpc = await jsonRpcLoad(gateway.port, gateway.token, {
    vm: 'bench',
    command: 'query-status',
    inFlight: 64,
    milliseconds,
  });
  const bareOne = await httpLoad(Number(barePort), request, { connections: 1, milliseconds });
  const restOne = await httpLoad(gateway.port, request, { connections: 1, milliseconds });
  // The first round warms up compilers and caches.
  if (round === 0) continue;
  bare32.push(bare.perSecond);
  rest32.push(rest.perSecond);
  rpc64.push(rpc);
  bare1.push(quantile(bareOne.microseconds, 0.5));
  rest1.push(quantile(restOne.microseconds, 0.5));
}
await stopAll();

const ratio = (a: number[], b: number[]) => median(a.map((value, round) => value / (b[round] ?? NaN)));
const rows = [
  ['', 'median', 'to the bare forwarder'],
  ['bare node:http forwarder, 32 connections', `${median(bare32).toFixed(0)}/s`, '1.00'],
  ['gateway REST, 32 connections', `${median(rest32).toFixed(0)}/s`, ratio(rest32, bare32).toFixed(2)],
  ['gateway JSON-RPC, 64 in flight', `${median(rpc64).toFixed(0)}/s`, ratio(rpc64, bare32).toFixed(2)],
  ['bare node:http forwarder, 1 connection', `${median(bare1).toFixed(0)} µs`, '1.00'],
  ['gateway REST, 1 connection', `${median(rest1).toFixed(0)} µs`, `+${(median(rest1) - median(bare1)).toFixed(0)} µs`],
];
const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
for (const row of rows)
  process.stdout.write(
    `${row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`,
  );

function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
