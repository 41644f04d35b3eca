/**
 * Odd bytes by every way in, from clients and from VMs. `FUZZ_SEED` plays a run again, as far as timing lets it;
 * `FUZZ_MINUTES` is how long it takes.
 */
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import path from 'node:path';
import type { FakeCommand, FakeConnection } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { change, echo, fakeMachine, fakeMachineSettings, strict, type FakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, makeToken } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { randomNumbers } from '../e2e/random-numbers.js';
import { anyJson, mutated, pick, pieces, retyped, type Random } from './fuzz-input.js';

const minutes = Number(process.env['FUZZ_MINUTES'] ?? 4);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
/** A good client that waits longer has been hung, however busy the machine. */
const servedWithinMs = 20_000;
/** How long one odd conversation may take. */
const conversationMs = 3_000;

const scene = new GatewayScene();
let gateway: GatewayProcess;
const oddMachines: FakeMachine[] = [];
const oddVms = Array.from({ length: 8 }, (_, at) => `odd-${at}`);
/** Whether they are odd by now. */
let odd = false;
let token: string;
let socketPath: string;
let until: number;

beforeAll(async () => {
  process.stdout.write(`fuzz: FUZZ_SEED=${seed} FUZZ_MINUTES=${minutes}\n`);
  const dir = path.join(scene.directory(), 'm');
  const [good, target] = [await fakeMachine(scene), await fakeMachine(scene)];
  while (oddMachines.length < oddVms.length) oddMachines.push(await fakeMachine(scene));
  const oddOnes = oddMachines.map(({ endpoint }, at) => [oddVms[at], { endpoint }]);
  gateway = await scene.gateway({
    settings: {
      ...fakeMachineSettings,
      monitorSockets: { dir, level: 'host' },
      vms: { good: { endpoint: good.endpoint }, target: { endpoint: target.endpoint }, ...Object.fromEntries(oddOnes) },
    },
  });
  for (const vm of ['good', 'target', ...oddVms]) await gateway.vmBecomes(vm, 'ready');
  token = makeToken(gateway, { level: 'host', vms: ['target', 'odd-*', 'fuzz-*'] });
  socketPath = path.join(dir, 'target.sock');
  for (const machine of oddMachines) makeOdd(machine);
});
afterAll(() => scene.end());

/** Inputs of the last conversations of each kind, to be shown when something broke. */
const recent: string[] = [];
function remember(kind: string, input: Buffer | string): void {
  recent.push(`${kind}: ${JSON.stringify(input.toString().slice(0, 2000))}`);
  if (recent.length > 60) recent.shift();
}
const faults: string[] = [];
function look(kind: string, answer: string): void {
  if (/"code": ?"internal-error"|^HTTP\/1\.1 500/m.test(answer))
    faults.push(`${kind} answered ${answer.slice(0, 600)}; after\n${recent.slice(-12).join('\n')}`);
}

/** However it ended, what it said last and what it was sent last. */
function noteEnd(status: number | null, signal: string | null): void {
  const lastWords = gateway.stderr().slice(-4000);
  faults.push(`the gateway ended (${status ?? signal}): ${lastWords}; after\n${recent.slice(-12).join('\n')}`);
}

const going = () => performance.now() < until && faults.length === 0;

/** Sends these bytes and takes what comes, until the other side ends it or the conversation has had its time. */
function converse(kind: string, where: NetConnectOpts, input: Buffer, random: Random): Promise<void> {
  remember(kind, input);
  return new Promise((resolve) => {
    const socket = connect(where);
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), random(20) === 0 ? conversationMs : 30);
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      look(kind, answer);
      resolve();
    });
    for (const piece of pieces(random, input)) socket.write(piece);
    if (random(4) === 0) socket.end();
  });
}

const bodies = [
  ...['{}', '{"integer":5,"integers":[1,"2"],"text":"x","inner":{"depth":1}}', '{"color":"red","either":{"depth":2}}'],
  ...['{"execute":"stop"}', `{"exec-oob":"query-yank","id":1}`, `{"execute":"${echo}","arguments":{"flag":true}}`],
  ...['{"level":"read","vms":["a*"],"expires":"5m"}', '{"endpoint":"unix:/nowhere/x.sock","labels":{"tenant":"a"}}'],
];
const paths = [
  ...['/v1', '/v1/vms', '/v1/vms/target', '/v1/vms/target?wait=1ms', '/v1/vms/odd-1', '/v1/vms/target/schema'],
  ...['/v1/vms/target/openapi.json', '/v1/vms/target/events?limit=3&event=S*,T', '/v1/events?label=a=b&after=oldest'],
  ...[
    `/v1/vms/target/qmp/${echo}?integer=1&inner.depth=2&flag=true`,
    `/v1/vms/target/qmp/${change}?timeout=5s&dryRun=true`,
  ],
  ...[
    `/v1/vms/target/qmp/${strict}`,
    '/v1/vms/target/qmp',
    `/v1/qmp/${change}?vm=target&label=x=y`,
    '/v1/vms/odd-1/qmp/stop',
  ],
  ...[
    '/v1/vms/target/operations',
    '/v1/vms/target/operations/x?wait=1ms',
    '/v1/operations',
    '/v1/tokens',
    '/v1/tokens/abc',
  ],
  ...[
    '/v1/session',
    '/v1/access?vm=target&command=stop',
    '/metrics',
    '/openapi.json',
    '/asyncapi.json',
    '/docs/',
    '/livez',
  ],
  ...[
    '/problems/forbidden',
    '/v1/vms/fuzz-1',
    '/v1/vms/target/qom/machine',
    '/v1/vms/target/agent/guest-ping',
    '/v1/ws',
  ],
];
const methods = ['GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'BREW'];

function httpRequest(random: Random): string {
  const body = pick(random, bodies);
  const authorization = `Authorization: Bearer ${token}`;
  const extra = [
    ...['Accept: text/event-stream', 'Accept: application/x-ndjson', 'Dry-Run: true', 'Request-Timeout: 50ms'],
    ...[
      'Idempotency-Key: k',
      'QMP-VM-Epoch: e',
      'If-None-Match: *',
      'Last-Event-ID: x.1',
      'Origin: http://evil',
      'Expect: 100-continue',
    ],
    ...[
      'Prefer: wait=1',
      'Upgrade: h2c',
      'Connection: upgrade',
      'Range: bytes=0-1',
      'X-Request-Id: a',
      'Sec-Fetch-Site: none',
    ],
  ].filter(() => random(8) === 0);
  const head = [
    `${pick(random, methods)} ${pick(random, paths)} HTTP/1.1`,
    `Host: ${new URL(gateway.url).host}`,
    ...extra,
  ];
  const typed = [authorization, 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  return [...head, ...typed, '', body].join('\r\n');
}

/** Mutates mostly what comes after credentials and length, so that much gets past the first checks. */
function oddHttp(random: Random): Buffer {
  const good = httpRequest(random);
  switch (random(4)) {
    case 0:
      return mutated(random, good, paths);
    case 1: {
      const line = good.indexOf(' HTTP/1.1');
      const bytes = mutated(random, good.slice(0, line), paths)
        .toString('latin1')
        .replaceAll(/[\r\n]/g, '');
      return Buffer.from(bytes + good.slice(line), 'latin1');
    }
    case 2:
      return Buffer.concat([Buffer.from(good), mutated(random, httpRequest(random))]);
    default: {
      const body = mutated(random, pick(random, bodies), bodies);
      const head = good
        .slice(0, good.indexOf('\r\n\r\n') + 4)
        .replace(/Content-Length: \d+/, `Content-Length: ${body.length}`);
      return Buffer.concat([Buffer.from(head), body]);
    }
  }
}

const rpcMessages = [
  ...[
    `{"jsonrpc":"2.0","id":1,"method":"execute","params":{"vm":"target","command":"${echo}","arguments":{"integer":1}}}`,
  ],
  ...[
    `{"jsonrpc":"2.0","id":"a","method":"execute","params":{"vm":"odd-1","command":"stop","timeout":0.05,"idempotencyKey":"k"}}`,
  ],
  ...[
    '{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"vm":["t*"],"event":"S*","after":"oldest","coalesce":"10ms"}}',
  ],
  ...[
    '{"jsonrpc":"2.0","id":3,"method":"unsubscribe","params":{"subscription":1}}',
    '{"jsonrpc":"2.0","id":4,"method":"vms"}',
  ],
  ...['{"jsonrpc":"2.0","method":"ping"}', '{"jsonrpc":"2.0","id":5,"method":"vms","params":{"label":"a=b"}}'],
];
const qmpMessages = [
  ...[
    '{"execute":"qmp_capabilities"}',
    '{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}\r\n',
    '{"execute":"stop","id":1}',
  ],
  ...[
    `{"execute":"${echo}","arguments":{"integer":1,"anything":[{"a":1}]},"id":{"x":[1]}}`,
    '{"exec-oob":"query-yank","id":2}',
  ],
  ...[
    "{'execute':'query-status'}",
    '{"execute":"screendump","arguments":{"id":"%(x)s"}}',
    '{"execute":"device_del","arguments":{"id":"d"}}',
  ],
];

/** One WebSocket with a few messages, good ones, retyped ones and odd bytes, and sometimes odd frames. */
async function converseBySocket(
  kind: string,
  resource: string,
  messages: readonly string[],
  random: Random,
): Promise<void> {
  const socket = new WebSocket(gateway.url.replace('http', 'ws') + resource, ['qmp-gateway.v1', 'qmp'], {
    headers: { Authorization: `Bearer ${token}` },
  });
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => look(kind, data.toString()));
  const closed = once(socket, 'close');
  const timer = setTimeout(() => socket.terminate(), conversationMs);
  await Promise.race([once(socket, 'open').catch(() => undefined), closed]);
  for (let message = random(12); message >= 0 && socket.readyState === WebSocket.OPEN; message--) {
    const good = pick(random, messages);
    const odd = pick(random, [Buffer.from(good), Buffer.from(retyped(random, good)), mutated(random, good, messages)]);
    remember(kind, odd);
    socket.send(odd, { binary: random(10) === 0 });
    if (random(15) === 0)
      (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(mutated(random, good));
  }
  if (random(2) === 0) setTimeout(() => socket.close(), 20 + random(50));
  else setTimeout(() => socket.terminate(), 20);
  await closed;
  clearTimeout(timer);
}

/** From now on this VM answers oddly, says odd things unasked, greets oddly and hangs up. */
function makeOdd(machine: FakeMachine): void {
  const random = randomNumbers(seed ^ 0x5eed);
  const { fake } = machine;
  for (const [name, good] of [...fake.handlers]) {
    if (name === 'qmp_capabilities') continue;
    fake.on(name, async (command) => {
      if (!odd || random(3) > 0) return good(command);
      const asked = await good(command);
      const json =
        asked === null ? '{}' : 'json' in asked ? asked.json : JSON.stringify('return' in asked ? asked.return : {});
      return oddAnswer(random, command, json);
    });
  }
  const { greeting } = fake;
  Object.defineProperty(fake, 'greeting', {
    get: () => (odd && random(3) === 0 ? mutated(random, greeting).toString('latin1') : greeting),
  });
}
function oddAnswer(random: Random, command: FakeCommand, json: string): { raw: Buffer } | { json: string } | null {
  const line = (text: string) => ({ raw: Buffer.from(`${text}\r\n`) });
  const id = `"id":${command.id ?? 'null'}`;
  switch (random(8)) {
    case 0:
      return null;
    case 1:
      return line(`{"error":${anyJson(random)},${id}}`);
    case 2:
      return line(`{${id},"error":{"class":${anyJson(random)},"desc":${anyJson(random)}}}`);
    case 3:
      return { raw: mutated(random, `{"return":${json},${id}}\r\n`) };
    case 4:
      return line(`{"return":${json},"id":${anyJson(random)}}`);
    case 5:
      return { json: anyJson(random) };
    default:
      return { json: retyped(random, json) };
  }
}

/** Events whose data the gateway reads, as a good VM writes it. */
const readEvents = [
  ...['"WATCHDOG","data":{"action":"pause"}', '"GUEST_PANICKED","data":{"action":"pause"}'],
  ...['"BLOCK_IO_ERROR","data":{"action":"stop","device":"d"}', '"MIGRATION","data":{"status":"failed"}'],
  ...['"JOB_STATUS_CHANGE","data":{"id":"j","status":"created"}', '"BLOCK_JOB_READY","data":{"device":"j","len":9}'],
  ...['concluded', 'null'].map((status) => `"JOB_STATUS_CHANGE","data":{"id":"j","status":"${status}"}`),
  '"BLOCK_JOB_COMPLETED","data":{"device":"j","type":"mirror","len":1e308,"offset":0}',
  '"BLOCK_JOB_COMPLETED","data":{"device":"j","type":"mirror","len":1e308,"offset":1}',
  '"DEVICE_DELETED","data":{"device":"d","path":"/machine/peripheral/d"}',
  '"ACPI_DEVICE_OST","data":{"info":{"device":"d","source":3,"status":1}}',
];

/** What a VM says unasked. */
function sayOddly(random: Random, connection: FakeConnection): void {
  const name = pick(random, ['STOP', 'RESUME', 'SHUTDOWN', 'RESET', 'WATCHDOG', 'JOB_STATUS_CHANGE', 'X']);
  const said = random(2) === 0 ? pick(random, readEvents) : `"${name}","data":${anyJson(random)}`;
  const event = `{"timestamp":{"seconds":1,"microseconds":2},"event":${said}}`;
  const bytes = pick(random, [Buffer.from(event), Buffer.from(retyped(random, event)), mutated(random, event)]);
  remember('vm', bytes);
  connection.write(bytes);
  connection.write('\r\n');
  if (random(40) === 0) connection.socket.destroy();
}

/** One of the odd VMs says something, and is asked for something. */
async function talkOddly(random: Random): Promise<void> {
  const { fake } = pick(random, oddMachines);
  const connection = fake.connections.at(-1);
  if (connection !== undefined) sayOddly(random, connection);
  const vm = pick(random, oddVms);
  const body = retyped(random, '{"integer":1,"text":"x","anything":null}');
  const command = pick(random, [change, echo, 'query-status', 'stop', 'query-qmp-schema']);
  const asked = { body, headers: { 'Request-Timeout': '100ms' } };
  const { text } = await exchange(gateway, `/v1/vms/${vm}/qmp/${command}`, asked);
  look('odd vm', text);
}

/** Somebody with nothing to do with it. */
async function beServed(): Promise<void> {
  const began = performance.now();
  const answer = await exchange(gateway, `/v1/vms/good/qmp/${change}`, { body: '{"integer":1}' });
  const took = performance.now() - began;
  if (answer.status !== 200) faults.push(`a good client was answered ${answer.text}`);
  if (took > servedWithinMs) faults.push(`a good client was served after ${took} ms`);
}

it('no odd bytes end the gateway, hang it, or come to an answer of 500', async () => {
  until = performance.now() + minutes * 60_000;
  const { hostname, port } = new URL(gateway.url);
  const tcp = { host: hostname, port: Number(port) };
  const counts: Record<string, number> = {};
  let workers = 0;
  const work = async (kind: string, conversation: (random: Random) => Promise<unknown>) => {
    const random = randomNumbers(seed + ++workers);
    for (counts[kind] ??= 0; going(); counts[kind]++)
      await conversation(random).catch((error: unknown) => faults.push(`${kind}: ${String(error)}`));
  };
  gateway.process.once('exit', noteEnd);
  odd = true;
  await Promise.all([
    ...Array.from({ length: 6 }, () => work('http', (random) => converse('http', tcp, oddHttp(random), random))),
    work('json-rpc', (random) => converseBySocket('json-rpc', '/v1/ws', rpcMessages, random)),
    work('monitor', (random) => converseBySocket('monitor', '/v1/vms/target/monitor', qmpMessages, random)),
    work('monitor socket', (random) =>
      converse('monitor socket', { path: socketPath }, mutated(random, qmpMessages.join('\r\n'), qmpMessages), random),
    ),
    work('vm', talkOddly),
    work('good client', beServed),
  ]);
  odd = false;
  process.stdout.write(`fuzz: ${JSON.stringify(counts)}\n`);
  expect(faults).toEqual([]);
  expect(gateway.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await beServed();
  // The odd ones are machines like any other when they behave.
  for (const vm of ['target', ...oddVms]) await gateway.vmBecomes(vm, 'ready');
  gateway.process.off('exit', noteEnd);
  expect(await gateway.stop()).toBe(0);
  expect(faults).toEqual([]);
});
