import { httpLoad } from './http-load.js';
import { benchIntrospection } from './introspection.js';
import { startGateway, startScript, stopAll } from './processes.js';
import { median, medianRatio } from './statistics.js';
import { printTable } from './table.js';

const rounds = 15;
const bytes = 10 * 2 ** 20;

/** A reply of 10 MiB: how long until the client has it, and how long nobody else was served meanwhile. */
export async function benchLargeReply(): Promise<void> {
  const value = JSON.stringify(Array.from({ length: Math.ceil(bytes / 64) }, (_, i) => String(i).padStart(60, '.')));
  const input = JSON.stringify({ 'query-qmp-schema': benchIntrospection, 'query-status': value });
  const { line: bareSocket } = await startScript('./instant-monitor-process.js', [], { input });
  const { line: gatewaySocket } = await startScript('./instant-monitor-process.js', [], { input });
  const { line: barePort } = await startScript('./bare-forwarder.js', [bareSocket, 'query-status']);
  const gateway = await startGateway({ bench: gatewaySocket });
  const head = `Host: 127.0.0.1:${gateway.port}\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`;
  const request = `GET /v1/vms/bench/qmp/query-status HTTP/1.1\r\n${head}`;
  const bare: number[] = [];
  const rest: number[] = [];
  const stalls: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const once = async (port: number) =>
      (await httpLoad(port, request, { connections: 1, milliseconds: 0 })).microseconds[0] ?? NaN;
    // Somebody else asks all the time; the slowest of those answers shows how long the event loop stood still.
    const others = httpLoad(gateway.port, `GET /livez HTTP/1.1\r\n${head}`, { connections: 1, milliseconds: 150 });
    await once(gateway.port);
    const slowest = (await others).microseconds.at(-1) ?? NaN;
    const bareTime = await once(Number(barePort));
    const restTime = await once(gateway.port);
    if (round === 0) continue;
    bare.push(bareTime);
    rest.push(restTime);
    stalls.push(slowest);
  }
  await stopAll();
  const ms = (microseconds: number) => `${(microseconds / 1000).toFixed(1)} ms`;
  printTable([
    ['a reply of 10 MiB', 'median', 'to the bare forwarder'],
    ['bare node:http forwarder', ms(median(bare)), '1.00'],
    ['gateway REST', ms(median(rest)), medianRatio(rest, bare).toFixed(2)],
    ['slowest answer to somebody else meanwhile', ms(median(stalls)), ''],
  ]);
}
