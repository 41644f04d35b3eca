import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { makeCertificates, type FakeCommand } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argumentsText, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
const directory = scene.directory();
const unixPath = path.join(directory, 'gateway.sock');
const { ca, server } = makeCertificates();
let machine: FakeMachine;
let gateway: GatewayProcess;
let secured: GatewayProcess;

beforeAll(async () => {
  machine = await fakeMachine(scene);
  const settings = { vms: { vm: { endpoint: machine.endpoint } }, ...fakeMachineSettings };
  gateway = await scene.gateway({ settings, listen: ['127.0.0.1:0', `unix:${unixPath}`] });
  const files = { cert: path.join(directory, 'cert.pem'), key: path.join(directory, 'key.pem') };
  writeFileSync(files.cert, server.cert);
  writeFileSync(files.key, server.key);
  secured = await scene.gateway({ settings: { ...settings, tls: files } });
});
afterAll(() => scene.end());

interface Way {
  readonly way: string;
  readonly gateway: () => GatewayProcess;
  readonly open: () => Promise<Socket>;
}

const portOf = ({ url }: GatewayProcess) => Number(new URL(url).port);
const connected = async (socket: Socket, event = 'connect') => {
  await once(socket, event);
  return socket;
};
const ways: readonly Way[] = [
  { way: 'tcp', gateway: () => gateway, open: () => connected(connect(portOf(gateway), '127.0.0.1')) },
  { way: 'a unix socket', gateway: () => gateway, open: () => connected(connect(unixPath)) },
  {
    way: 'TLS',
    gateway: () => secured,
    open: () =>
      connected(
        connectTls({ host: 'localhost', port: portOf(secured), ca: ca.cert, ALPNProtocols: ['http/1.1'] }),
        'secureConnect',
      ),
  },
];

type Fields = Readonly<Record<string, string>>;
/** Makes the text of a request. */
type Ask = (line: string, fields?: Fields, body?: string) => string;

function asking(to: GatewayProcess): Ask {
  return (line, fields = {}, body = '') => {
    const all = { Host: `localhost:${portOf(to)}`, Authorization: `Bearer ${to.token ?? ''}`, ...fields };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${line} HTTP/1.1\r\n${head.join('')}\r\n${body}`;
  };
}

const commandPath = `/v1/vms/vm/qmp/${echo}`;
const h2c = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA' };
const webSocket = {
  ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
  ...{ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol': 'qmp-gateway.v1' },
};
const json = { 'Content-Type': 'application/json' };
const last = { Connection: 'close' };
const h2cLast = { Connection: 'close, Upgrade, HTTP2-Settings' };
const ok = (integer: number) => new RegExp(`^HTTP/1\\.1 200 [^]*\\{"integer":${integer}\\}$`);
const problem = (status: number, code: string) =>
  new RegExp(`^HTTP/1\\.1 ${status} [^]*Content-Type: application/problem\\+json[^]*"code":"${code}"`);

interface Case {
  readonly what: string;
  readonly texts: (ask: Ask) => readonly string[];
  readonly answers: readonly RegExp[];
}

/** What is sent behind a command that has no answer yet, and what has to come after that. */
const behind: readonly Case[] = [
  {
    what: 'an upgrade to h2c',
    texts: (ask) => [ask(`GET ${commandPath}?integer=2`, h2c), ask(`GET ${commandPath}?integer=3`, last)],
    answers: [ok(2), ok(3)],
  },
  {
    what: 'two upgrades to h2c',
    texts: (ask) => [
      ask(`GET ${commandPath}?integer=2`, h2c),
      ask(`GET ${commandPath}?integer=3`, h2c),
      ask(`GET ${commandPath}?integer=4`, last),
    ],
    answers: [ok(2), ok(3), ok(4)],
  },
  {
    what: 'an upgrade to h2c with a body',
    texts: (ask) => [
      ask(`POST ${commandPath}`, { ...h2c, ...h2cLast, ...json, 'Content-Length': '13' }, '{"integer":2}'),
    ],
    answers: [ok(2)],
  },
  {
    what: 'an upgrade to h2c with a body in chunks',
    texts: (ask) => [
      ask(
        `POST ${commandPath}`,
        { ...h2c, ...h2cLast, ...json, 'Transfer-Encoding': 'chunked' },
        '6\r\n{"inte\r\n7\r\nger":2}\r\n0\r\n\r\n',
      ),
    ],
    answers: [ok(2)],
  },
  {
    what: 'a WebSocket',
    texts: (ask) => [ask('GET /v1/ws', webSocket)],
    answers: [/^HTTP\/1\.1 101 Switching Protocols\r\n[^]*Sec-WebSocket-Protocol: qmp-gateway\.v1/],
  },
  {
    what: 'a WebSocket that is refused',
    texts: (ask) => [ask('GET /v1/nothing', webSocket)],
    answers: [problem(404, 'route-not-found')],
  },
  {
    what: 'a WebSocket with a body',
    texts: (ask) => [ask('GET /v1/ws', { ...webSocket, 'Content-Length': '2' }, '{}')],
    answers: [problem(400, 'invalid-request')],
  },
  {
    what: 'a WebSocket without credentials behind an upgrade to h2c',
    texts: (ask) => [
      ask(`GET ${commandPath}?integer=2`, h2c),
      ask('GET /v1/ws', { ...webSocket, Authorization: 'Bearer none' }),
    ],
    answers: [ok(2), problem(401, 'unauthenticated')],
  },
  {
    what: 'what is no HTTP',
    texts: () => ['no HTTP\r\n\r\n'],
    answers: [problem(400, 'invalid-request')],
  },
  {
    what: 'a head that is too long',
    texts: (ask) => [ask('GET /livez', { 'X-Long': 'x'.repeat(20_000) })],
    answers: [problem(431, 'headers-too-large')],
  },
  {
    what: 'a body that is broken',
    texts: (ask) => [ask(`POST ${commandPath}`, { ...json, 'Transfer-Encoding': 'chunked' }, 'no size\r\n')],
    answers: [problem(400, 'invalid-request')],
  },
  {
    what: 'a body that breaks after its request was refused',
    texts: (ask) => [
      ask(
        `POST ${commandPath}`,
        { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' },
        '1\r\nx\r\nno size\r\n',
      ),
    ],
    answers: [problem(415, 'unsupported-media-type')],
  },
  {
    what: 'an expectation nobody can meet',
    texts: (ask) => [ask(`GET ${commandPath}?integer=2`, { Expect: 'nonsense', ...last })],
    answers: [problem(417, 'expectation-failed')],
  },
  {
    what: 'a tunnel',
    texts: (ask) => [ask('CONNECT example.org:443')],
    answers: [problem(403, 'host-refused')],
  },
];

/** Sends a command with what comes behind, and ends the command once all is there. @returns all answers */
async function answersBehind(
  { open, gateway: to }: Way,
  send: (socket: Socket, first: string) => void,
): Promise<string[]> {
  const held = new Promise<FakeCommand>((resolve) => {
    machine.fake.on(echo, (command) => {
      if (argumentsText(command) !== '{"integer":1}') return { json: argumentsText(command) };
      resolve(command);
      return null;
    });
  });
  const socket = await open();
  const received = text(socket);
  send(socket, asking(to())(`GET ${commandPath}?integer=1`));
  const command = await held;
  // What was sent behind it is there by now too.
  for (let turns = 0; turns < 3; turns++)
    await to()
      .fetch('/livez', {})
      .catch(() => exchange(gateway, '/livez'));
  machine.fake.answer(command, { json: '{"integer":1}' });
  // For a WebSocket, which stays.
  socket.on('data', (bytes: Buffer) => bytes.includes(' 101 ') && socket.end());
  return (await received).split(/(?=HTTP\/1\.1 \d)/);
}

describe.each(ways)('behind a command without an answer, over $way', (way) => {
  it.each(behind)('$what has its answer in its turn', async ({ texts, answers }) => {
    const all = texts(asking(way.gateway()));
    const expected = [ok(1), ...answers].map((pattern) => expect.stringMatching(pattern) as unknown);
    const together = await answersBehind(way, (socket, first) => void socket.write(first + all.join('')));
    expect(together).toEqual(expected);
    const apart = await answersBehind(way, (socket, first) => {
      for (const one of [first, ...all]) socket.write(one);
    });
    expect(apart).toEqual(expected);
  });
});

describe.each(ways)('a body that waits to be asked for, over $way', ({ gateway: to, open }) => {
  it('is asked for when the answers before are written', async () => {
    const held = new Promise<FakeCommand>((resolve) => {
      machine.fake.on(echo, (command) => {
        if (argumentsText(command) !== '{"integer":1}') return { json: argumentsText(command) };
        resolve(command);
        return null;
      });
    });
    const socket = await open();
    const received = text(socket);
    const ask = asking(to());
    const body = { ...json, ...last, Expect: '100-continue', 'Content-Length': '13' };
    socket.write(ask(`GET ${commandPath}?integer=1`) + ask(`POST ${commandPath}`, body));
    const asked = new Promise<void>((resolve) => {
      socket.on('data', (bytes: Buffer) => bytes.includes('100 Continue') && resolve());
    });
    machine.fake.answer(await held, { json: '{"integer":1}' });
    await asked;
    socket.write('{"integer":2}');
    expect((await received).split(/(?=HTTP\/1\.1 \d)/)).toEqual(
      [ok(1), /^HTTP\/1\.1 100 Continue\r\n\r\n$/, ok(2)].map((pattern) => expect.stringMatching(pattern) as unknown),
    );
  });

  it('costs no answer behind it where it came without being asked for', async () => {
    machine.fake.on(echo, (command) => ({ json: argumentsText(command) }));
    const socket = await open();
    const received = text(socket);
    const ask = asking(to());
    const unasked = { ...json, Expect: '100-continue', 'Content-Length': '13' };
    const behind = ask(`GET ${commandPath}?integer=3`, last);
    socket.write(`${ask(`GET ${commandPath}?integer=1`)}${ask(`POST ${commandPath}`, unasked)}{"integer":2}${behind}`);
    expect((await received).split(/(?=HTTP\/1\.1 200)/)).toEqual(
      [1, 2, 3].map((integer) => expect.stringMatching(ok(integer)) as unknown),
    );
  });

  it('takes no body that is compressed on the way', async () => {
    const socket = await open();
    const received = text(socket);
    const head = { ...json, ...last, 'Transfer-Encoding': 'gzip, chunked' };
    socket.write(`${asking(to())(`POST ${commandPath}`, head)}2\r\n{}\r\n0\r\n\r\n`);
    expect(await received).toMatch(/^HTTP\/1\.1 415 [^]*"code":"unsupported-media-type"/);
  });
});

describe('clients that would rather speak HTTP/2', () => {
  it('keep their connection, and hold no more places than others', async () => {
    const few = await scene.gateway({ settings: { limits: { connections: 20 } } });
    const ask = asking(few);
    for (let client = 0; client < 40; client++) {
      const socket = await connected(connect(portOf(few), '127.0.0.1'));
      socket.end(ask('GET /v1/access', { ...h2c, ...h2cLast }));
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
    }
    const socket = await connected(connect(portOf(few), '127.0.0.1'));
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
    for (let request = 1; request <= 30; request++) {
      const answered = once(socket, 'data');
      socket.write(ask('GET /v1/access', h2c));
      await answered;
      expect(received.match(/HTTP\/1\.1 200 /g)).toHaveLength(request);
    }
    socket.destroy();
    expect(few.stderr()).not.toContain('MaxListeners');
  });

  it.each([
    ['at once', 0],
    ['after its head', 1],
  ])('have bodies that come %s taken', async (_when, pause) => {
    for (const fields of [{ 'Content-Length': '13' }, { 'Transfer-Encoding': 'chunked' }]) {
      machine.fake.on(echo, (command) => ({ json: argumentsText(command) }));
      const body = 'Content-Length' in fields ? '{"integer":2}' : '6\r\n{"inte\r\n7\r\nger":2}\r\n0\r\n\r\n';
      const head = asking(gateway)(`POST ${commandPath}`, { ...h2c, ...h2cLast, ...json, ...fields });
      const socket = await connected(connect(portOf(gateway), '127.0.0.1'));
      const received = text(socket);
      socket.write(head + (pause === 0 ? body : body.slice(0, -8)));
      // What has been sent is there.
      for (let turns = 0; turns < 3 * pause; turns++) await exchange(gateway, '/livez');
      socket.write(pause === 0 ? '' : body.slice(-8));
      expect(await received).toMatch(ok(2));
    }
  });
});
