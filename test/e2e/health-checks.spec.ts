import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, run } from './gateway-scene.js';
import { refusesConnections } from './pipelined-at-shutdown.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let open: GatewayProcess;

beforeAll(async () => {
  gateway = await scene.gateway();
  open = await scene.gateway({ args: ['--auth', 'none'] });
});
afterAll(() => scene.end());

/** Sends this as it is. @returns the whole answer */
async function ask(to: GatewayProcess, head: string): Promise<string> {
  const { hostname, port } = new URL(to.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(`${head}\r\n\r\n`);
  return text(socket);
}

const alive = /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"status":"ok"\}$/;
const aliveByHead = /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 15\r\n[^]*\r\n\r\n$/;
const refusedHost = /^HTTP\/1\.1 403 [^]*"code":"host-refused"/;

describe.each(['/livez', '/readyz'])('%s', (path) => {
  it.each([
    ['by address, as HTTP/1.0 without Host', `GET ${path} HTTP/1.0`],
    ['without Host', `GET ${path} HTTP/1.1\r\nConnection: close`],
    ['by an empty Host', `GET ${path} HTTP/1.1\r\nHost:\r\nConnection: close`],
    ['by another name', `GET ${path} HTTP/1.1\r\nHost: gateway.internal\r\nConnection: close`],
    ['by another port', `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close`],
    ['by a proxy', `GET ${path} HTTP/1.1\r\nHost: lb\r\nX-Forwarded-For: 10.0.0.1\r\nVia: 1.1 lb\r\nConnection: close`],
    ['with a query', `GET ${path}?probe=1 HTTP/1.1\r\nHost: lb\r\nConnection: close`],
  ])('is answered to whoever asks %s', async (_how, head) => {
    for (const to of [gateway, open]) {
      expect(await ask(to, head)).toMatch(alive);
      expect(await ask(to, head.replace('GET', 'HEAD'))).toMatch(aliveByHead);
    }
  });

  it('is refused where a Host can be two things, and to pages of other origins', async () => {
    const close = 'Connection: close';
    expect(await ask(gateway, `GET ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n${close}`)).toMatch(refusedHost);
    expect(await ask(gateway, `GET http://lb${path} HTTP/1.1\r\nHost: lb\r\n${close}`)).toMatch(refusedHost);
    const page = await ask(gateway, `GET ${path} HTTP/1.1\r\nHost: lb\r\nOrigin: https://evil.example\r\n${close}`);
    expect(page).toMatch(/^HTTP\/1\.1 403 [^]*"code":"origin-refused"/);
  });
});

it('nothing else is answered to another Host', async () => {
  for (const path of ['/v1', '/openapi.json', '/docs', '/metrics', '/livez/', '/v1/vms'])
    for (const host of ['', 'Host: lb\r\n'])
      expect([path, await ask(open, `GET ${path} HTTP/1.1\r\n${host}Connection: close`)]).toEqual([
        path,
        expect.stringMatching(refusedHost),
      ]);
});

it('a gateway that stops is alive and not ready, whatever the Host', async () => {
  const machine = await fakeMachine(scene);
  machine.fake.on(change, () => null);
  const settings = { vms: { vm: { endpoint: machine.endpoint } }, ...fakeMachineSettings };
  const stopping = await scene.gateway({ settings });
  await stopping.vmBecomes('vm', 'ready');
  const arrived = machine.fake.next(change);
  const answered = run(stopping, 'vm', change);
  const command = await arrived;
  const { hostname, port } = new URL(stopping.url);
  // New connections are not taken any more: these are there already, with half of what they ask.
  const checks = ['/livez', '/readyz'].map((path) => {
    const socket = connect(Number(port), hostname);
    socket.write(`GET ${path} HTTP/1.1\r\n`);
    return socket;
  });
  const answers = Promise.all(checks.map((socket) => text(socket)));
  await ask(stopping, 'GET /livez HTTP/1.0');
  stopping.process.kill('SIGTERM');
  await refusesConnections(stopping);
  for (const socket of checks) socket.write('Host: lb\r\n\r\n');
  expect(await answers).toEqual([
    expect.stringMatching(/^HTTP\/1\.1 200 /),
    expect.stringMatching(/^HTTP\/1\.1 503 [^]*"code":"shutting-down"/),
  ]);
  machine.fake.answer(command, { json: '{}' });
  expect((await answered).status).toBe(200);
});
