import { httpLoad } from './http-load.js';
import { freePort, inspectedAt, Inspector } from './inspector.js';
import { startInstantMonitor } from './instant-servers.js';
import { processorMs, startGateway } from './processes.js';
import { printTable } from './table.js';
import { restRequest } from './ways.js';

const milliseconds = 5000;
const connections = 32;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Parts of the processor time of a request by where the sampler finds it: the first that fits. */
const parts: readonly (readonly [string, (url: string, name: string) => boolean])[] = [
  ['waiting', (_, name) => name === '(idle)'],
  ["the collector of Node's memory", (_, name) => name === '(garbage collector)'],
  ["the kernel and Node's C++: reads, the parser of HTTP", (url, name) => url === '' && name === '(program)'],
  ["the kernel and Node's C++: writes", (url, name) => url === '' && /^write/.test(name)],
  ["V8's own functions", (url) => url === ''],
  ["Node's HTTP", (url) => url.startsWith('node:_http')],
  ["Node's sockets and streams", (url) => /^node:(net|stream|internal\/(stream|streams))/.test(url)],
  ["the rest of Node's JavaScript", (url) => url.startsWith('node:')],
  ['gateway: the entrance and the answer', (url) => /gateway\/dist\/(entrance|http)\//.test(url)],
  ['gateway: credentials, policy, audit', (url) => /gateway\/dist\/access\//.test(url)],
  ['gateway: command lane, queue, outcome', (url) => /gateway\/dist\//.test(url)],
  ['gateway: QMP and JSON', (url) => url.includes('/libs/')],
];

/** Where the processor time of a request goes: samples of the gateway's process under the load of `forwarding`. */
export async function benchProfile(): Promise<void> {
  const inspector = await freePort();
  const socket = await startInstantMonitor();
  const gateway = await startGateway({ bench: socket }, { nodeArguments: inspectedAt(inspector) });
  const load = (ms: number) =>
    httpLoad(gateway.port, restRequest('GET', gateway.token), { connections, milliseconds: ms });
  await load(1000);
  const profiler = await Inspector.attach(inspector);
  await profiler.ask('Profiler.enable');
  const before = processorMs(gateway.pid);
  await profiler.ask('Profiler.start');
  const { microseconds: requests } = await load(milliseconds);
  const { profile } = (await profiler.ask('Profiler.stop')) as { profile: Profile };
  const each = ((processorMs(gateway.pid) - before) * 1000) / requests.length;
  profiler.close();
  print(sharesOf(profile), each);
}

/** Microseconds by part. */
function sharesOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const partOf = new Map(
    nodes.map(({ id, callFrame: { url, functionName } }) => [
      id,
      parts.find(([, fits]) => fits(url, functionName))?.[0] ?? 'libraries',
    ]),
  );
  const shares = new Map<string, number>();
  samples.forEach((id, at) => {
    const part = partOf.get(id) ?? 'libraries';
    shares.set(part, (shares.get(part) ?? 0) + Math.max(0, timeDeltas[at] ?? 0));
  });
  shares.delete('waiting');
  return shares;
}

function print(shares: ReadonlyMap<string, number>, each: number): void {
  const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
  const rows = [...shares]
    .sort(([, one], [, other]) => other - one)
    .map(([part, share]) => [
      part,
      `${((share * 100) / total).toFixed(0)} %`,
      `${((share * each) / total).toFixed(1)} µs`,
    ]);
  printTable([
    ['GET query-status, 32 connections', 'share', 'a request'],
    ...rows,
    ['in all', '', `${each.toFixed(1)} µs`],
  ]);
  process.stdout.write('The sampler is on: a request takes some microseconds more than without it.\n\n');
}
