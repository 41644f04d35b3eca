import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { encodeFrame, partBytes } from '@qmp-gateway/fleet-protocol';
import { FaultProxy, NatsServers } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Principal } from '../../apps/gateway/src/access/principal.js';
import { sentPrincipal } from '../../apps/gateway/src/fleet/exchanges/owner-call.js';
import { ExchangeScene, type OwnHandler, type StageNode } from './exchange-scene.js';

const big = randomBytes(16 * 1024 * 1024);
const seen: string[] = [];

/** What node B answers; each request leaves its path in `seen`. */
const ownAtB: OwnHandler = (request, response, handed) => {
  seen.push(request.url ?? '');
  const [path = ''] = (request.url ?? '').split('?');
  const last = path.slice(path.lastIndexOf('/') + 1);
  if (last === 'echo') {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      const { level, ...grant } = handed.principal.grant;
      const told = { method: request.method, url: request.url, headers: request.headers, level, grant };
      response.setHeader('X-Told', JSON.stringify(told));
      response.end(body);
    });
  } else if (last === 'big') {
    response.setHeader('Content-Length', big.length);
    response.end(big);
  } else if (last.startsWith('size-')) {
    const length = Number(last.slice('size-'.length));
    response.setHeader('Content-Length', length);
    response.end(big.subarray(0, length));
  } else if (last === 'stream') {
    response.setHeader('Content-Type', 'application/x-ndjson');
    let count = 0;
    const timer = setInterval(() => response.write(`{"n":${count++}}\n`), 20);
    response.on('close', () => {
      clearInterval(timer);
      seen.push('stream closed');
    });
  } else if (last === 'broken') {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('12345');
    setTimeout(() => response.destroy(), 20);
  } else if (last === 'never') {
    response.on('close', () => seen.push('never closed'));
  } else if (last === 'empty') response.writeHead(204).end();
  else response.end(`${handed.operation} ${String(handed.notAfter !== undefined)}`);
};

/** A WebSocket that stands, as far as its head: what comes is gathered. */
async function upgraded(port: number): Promise<{ socket: Socket; got: () => Buffer }> {
  const socket = connect(port, '127.0.0.1');
  let got = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => (got = Buffer.concat([got, bytes])));
  socket.write(
    'GET /v1/vms/web/monitor HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbehind',
  );
  await expect.poll(() => got.toString('latin1')).toMatch(/^HTTP\/1.1 101 [^]*QMP-Node: B.1\r\n\r\nbehind$/);
  return { socket, got: () => got };
}

describe('a request for a VM of another node', () => {
  const scene = new ExchangeScene();
  let nats: NatsServers;
  let a: StageNode;
  let b: StageNode;

  beforeAll(async () => {
    nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
    b = await scene.node('B.1', nats.urls, ownAtB, {
      maxLevel: 'operate',
      onUpgrade: (socket, head) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
        socket.write(head);
        socket.on('data', (bytes: Buffer) => socket.write(bytes));
        socket.on('end', () => socket.end());
        socket.on('error', () => undefined);
      },
    });
    a = await scene.node('A', nats.urls, (_request, response) => void response.end('a'));
    scene.vm('web', 'B.1');
    scene.vm('twice', 'B.1');
    scene.vm('twice', 'C');
  });
  afterAll(() => scene.end());

  it('has the answer of its owner, and names it', async () => {
    const answer = await fetch(`${a.url}/v1/vms/web/qmp/query-status?timeout=5s`, { method: 'POST' });
    expect(await answer.text()).toMatch(/^[0-9a-z]+-[0-9a-z]+ true$/);
    expect([answer.status, answer.headers.get('qmp-node')]).toEqual([200, 'B.1']);
  });

  it('arrives as it was sent, without what was for this node only, and with the level that the owner permits', async () => {
    const answer = await fetch(`${a.url}/v1/vms/web/echo?node=B.1&x=%C3%A4`, {
      method: 'PUT',
      body: 'hello',
      headers: { Authorization: 'Bearer secret', 'X-Other': 'kept', Origin: 'http://x', Cookie: 'c=1' },
    });
    expect(await answer.text()).toBe('hello');
    const told = JSON.parse(answer.headers.get('x-told') ?? '') as Record<string, Record<string, unknown>>;
    expect(told).toMatchObject({ method: 'PUT', url: '/v1/vms/web/echo?x=%C3%A4', level: 'operate' });
    expect(told['headers']).toMatchObject({ 'x-other': 'kept', 'content-length': '5' });
    expect(JSON.stringify(told)).not.toMatch(/secret|c=1|http:\/\/x/);
    expect(JSON.parse(a.audit.at(-1)?.text('t') ?? '')).toMatchObject({ entrance: 'fleet', node: 'B.1', status: 200 });
  });

  it('may be long, and so may its answer', async () => {
    const answer = await fetch(`${a.url}/v1/vms/web/echo`, { method: 'POST', body: big });
    const body = Buffer.from(await answer.arrayBuffer());
    expect(createHash('sha256').update(body).digest('hex')).toBe(createHash('sha256').update(big).digest('hex'));
    const large = Buffer.from(await (await fetch(`${a.url}/v1/vms/web/big`)).arrayBuffer());
    expect(large.equals(big)).toBe(true);
  });

  it.each([1, 2, 7, 8, 9, 11, 12, 13, 16, 20])('ends though its answer fills %i parts', async (parts) => {
    for (const length of [parts * partBytes - 1000, parts * partBytes, parts * partBytes + 1]) {
      const answer = await fetch(`${a.url}/v1/vms/web/size-${length}`);
      const body = Buffer.from(await answer.arrayBuffer());
      expect(body.equals(big.subarray(0, length))).toBe(true);
    }
  });

  it('comes by the connection of the one before, and has its own answer', async () => {
    const made: unknown[] = [];
    const count = (connection: unknown): void => void made.push(connection);
    b.exchanges.server.on('connection', count);
    for (let turn = 0; turn < 20; turn++) {
      const texts = Array.from({ length: 3 }, (_, at) => `${turn} ${at}`);
      const echoes = texts.map((body) => fetch(`${a.url}/v1/vms/web/echo`, { method: 'POST', body }));
      expect(await Promise.all((await Promise.all(echoes)).map((answer) => answer.text()))).toEqual(texts);
    }
    b.exchanges.server.off('connection', count);
    expect(made.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ['a second request', 'GET /v1/vms/web/second HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['the beginning of one', 'GET /v1/vms/web/second HTTP/1.1\r\nX-Swallows: '],
    ['something else', 'x'],
  ])('of another node is not read as a part of %s that came behind one before', async (_, behind) => {
    const head = {
      ...{ v: 1, id: randomBytes(8).toString('hex'), run: 'runB1', until: performance.now() + 10_000, vm: 'web' },
      ...{ operation: `${randomBytes(4).toString('hex')}-0`, principal: sentPrincipal(a.principal) },
    };
    const request = `GET /v1/vms/web/empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${behind}`;
    const { subjects, connection, node } = a.link;
    const before = seen.length;
    connection.publish(subjects.command('B.1', node), encodeFrame(head, Buffer.from(request)));
    await expect.poll(() => seen.slice(before)).toContain('/v1/vms/web/empty');
    for (const body of ['1', '2', '3']) {
      const answer = await fetch(`${a.url}/v1/vms/web/echo`, { method: 'POST', body });
      expect([answer.status, await answer.text()]).toEqual([200, body]);
    }
  });

  it('may come in chunks of no known length', async () => {
    const pieces = Array.from({ length: 40 }, (_, at) => Buffer.alloc(32 * 1024, at));
    const stream = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    const body = Buffer.from(await (await fetch(`${a.url}/v1/vms/web/echo`, init)).arrayBuffer());
    expect(body).toHaveLength(40 * 32 * 1024);
    expect(body.at(-1)).toBe(39);
  });

  it('is answered bit by bit where its owner does, and ends there when its client leaves', async () => {
    const control = new AbortController();
    const answer = await fetch(`${a.url}/v1/vms/web/stream`, { signal: control.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('{"n":3}')) text += Buffer.from((await reader.read()).value ?? []).toString();
    control.abort();
    await expect.poll(() => seen).toContain('stream closed');
  });

  it('has no body where there is none', async () => {
    const answer = await fetch(`${a.url}/v1/vms/web/empty`);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
  });

  it('is broken off when its owner breaks it off', async () => {
    const answer = await fetch(`${a.url}/v1/vms/web/broken`);
    await expect(answer.text()).rejects.toThrow();
  });

  it('that two nodes claim is for the caller to decide', async () => {
    const answer = await fetch(`${a.url}/v1/vms/twice/qmp/stop`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toMatchObject([
      409,
      { code: 'vm-ambiguous', suggestions: ['B.1', 'C'] },
    ]);
    expect((await fetch(`${a.url}/v1/vms/twice/qmp/stop?node=B.1`, { method: 'POST' })).status).toBe(200);
  });

  it('is refused with the node that is not there', async () => {
    const answer = await fetch(`${a.url}/v1/vms/twice/qmp/stop?node=C`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'vm-unavailable', outcome: 'not-sent' }]);
  });

  it('is not there for those who do not see the VM', async () => {
    a.principal = new Principal('q', 'q', { level: 'host', vms: ['other'] });
    expect((await fetch(`${a.url}/v1/vms/web/qmp/stop`, { method: 'POST' })).status).toBe(404);
    a.principal = new Principal('p', 'p', { level: 'host', vms: ['*'] });
  });

  it.each(['ключ', ' a', 'a\n'])('is refused where its key %j could become another on the way', (idempotencyKey) => {
    const before = seen.length;
    const answers: unknown[] = [];
    const request = {
      ...{ principal: a.principal, requestId: 'r', entrance: 'json-rpc' as const, vm: 'web', command: 'stop' },
      ...{ arguments: { kind: 'none' as const }, arrivedAt: performance.now(), idempotencyKey },
    } as const;
    expect(a.exchanges.forwarder.execute(request, { answered: (answer) => answers.push(answer) })).toBe(true);
    expect(answers).toMatchObject([{ ok: false, problem: { code: 'invalid-request', outcome: 'not-sent' } }]);
    expect(seen).toHaveLength(before);
  });

  it('changes the protocol, and both sides speak on', async () => {
    const { socket, got } = await upgraded(a.port);
    const before = got().length;
    socket.write(big);
    await expect.poll(() => got().length, { timeout: 20_000 }).toBe(before + big.length);
    expect(got().subarray(before).equals(big)).toBe(true);
    socket.end();
    await new Promise((resolve) => socket.once('close', resolve));
  });

  it.each([
    ['is not known yet', true, 0],
    ['is known too far behind the truth', false, 60_000],
  ])('reaches an owner whose clock %s', async (_how, isUnheard, behindMs) => {
    // Of its own, as nodes remember what an owner has said of its clock.
    const name = isUnheard ? 'new' : 'behind';
    const c = await scene.node(name, nats.urls, (_request, response) => void response.end('c'));
    if (isUnheard) scene.unheard.add('B.1');
    scene.behindMs = behindMs;
    (await upgraded(c.port)).socket.destroy();
    for (const timeout of ['', '?timeout=5s'])
      expect((await fetch(`${c.url}/v1/vms/web/qmp/stop${timeout}`, { method: 'POST' })).status).toBe(200);
    scene.unheard.clear();
    scene.behindMs = 0;
  });

  it('is given up where its deadline comes first, and its owner hears of it', async () => {
    const answer = await fetch(`${a.url}/v1/vms/web/qmp/never?timeout=300ms`, { method: 'POST' });
    const problem = (await answer.json()) as { operation: string };
    expect([answer.status, problem]).toMatchObject([504, { code: 'deadline-exceeded', outcome: 'unknown' }]);
    expect(problem.operation).toMatch(/^\/v1\/vms\/web\/operations\/[0-9a-z]+-[0-9a-z]+$/);
    await expect.poll(() => seen).toContain('never closed');
  });

  it('leaves nothing behind', async () => {
    await expect.poll(() => [a, b].map(({ exchanges }) => exchanges.open)).toEqual([0, 0]);
  });
});

describe('a request while NATS is ill', () => {
  const scene = new ExchangeScene();
  let nats: NatsServers;
  let proxy: FaultProxy;
  let a: StageNode;

  beforeAll(async () => {
    nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
    proxy = await scene.start(FaultProxy.start(nats.first.port), (made) => made.stop());
    await scene.node('B', nats.urls, ownAtB);
    a = await scene.node('A', [`nats://127.0.0.1:${proxy.port}`], (_request, response) => void response.end('a'));
    scene.vm('web', 'B');
  });
  afterAll(() => scene.end());

  const rounds = Number(process.env['FLEET_ROUNDS'] ?? 20);

  it(
    `never runs after its caller was told that it did not: ${rounds} rounds, delayed and frozen`,
    async () => {
      const told: string[] = [];
      for (let round = 0; round < rounds; round++) {
        const frozen = round % 2 === 1;
        if (frozen) await nats.first.freeze();
        else proxy.toServer.delayMs = 400;
        const answer = await fetch(`${a.url}/v1/vms/web/qmp/stop-${round}?timeout=100ms`, { method: 'POST' });
        told.push(`${answer.status}`);
        if (frozen) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          nats.first.signal('SIGCONT');
        }
        proxy.toServer.delayMs = 0;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      expect(new Set(told)).toEqual(new Set(['504']));
      expect(seen.filter((path) => path.includes('stop-'))).toEqual([]);
      await expect
        .poll(async () => (await fetch(`${a.url}/v1/vms/web/qmp/later`, { method: 'POST' })).status, {
          timeout: 10_000,
        })
        .toBe(200);
    },
    100_000 + rounds * 3000,
  );

  it('is refused at once while there is no connection, and works again after it', async () => {
    await nats.first.kill();
    await expect
      .poll(async () => {
        const answer = await fetch(`${a.url}/v1/vms/web/qmp/x`, { method: 'POST' });
        return [answer.status, ((await answer.json()) as { code: string }).code];
      })
      .toEqual([503, 'fleet-unavailable']);
    await nats.first.start();
    await expect
      .poll(async () => (await fetch(`${a.url}/v1/vms/web/qmp/x`, { method: 'POST' })).status, { timeout: 15_000 })
      .toBe(200);
  });

  it('that its owner had is unknown when the connection goes', async () => {
    const asked = fetch(`${a.url}/v1/vms/web/qmp/never`, { method: 'POST' });
    await expect.poll(() => seen.filter((path) => path.endsWith('/never')).length).toBeGreaterThan(0);
    proxy.cut();
    const answer = await asked;
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'outcome-unknown', outcome: 'unknown' }]);
  });

  it('that its owner had is unknown when the node is not heard any more', async () => {
    await expect.poll(async () => (await fetch(`${a.url}/v1/vms/web/qmp/y`, { method: 'POST' })).status).toBe(200);
    const before = seen.length;
    const asked = fetch(`${a.url}/v1/vms/web/qmp/never`, { method: 'POST' });
    await expect.poll(() => seen.length).toBeGreaterThan(before);
    scene.away.add('B');
    const answer = await asked;
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'outcome-unknown' }]);
    const refused = await fetch(`${a.url}/v1/vms/web/qmp/z`, { method: 'POST' });
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { code: 'vm-unavailable', outcome: 'not-sent' },
    ]);
    scene.away.delete('B');
  });
});

it('is refused as misconfigured where NATS does not permit it', async () => {
  const scene = new ExchangeScene();
  try {
    const users =
      'authorization { users = [ { user: a, password: a, permissions: { publish: { deny: "qgw.test.1.cmd.>" } } } ] }\n' +
      'no_auth_user: a';
    const nats = await scene.start(NatsServers.start({ configuration: users }), (servers) => servers.stop());
    await scene.node('B', nats.urls, ownAtB);
    const a = await scene.node('A', nats.urls, ownAtB);
    scene.vm('web', 'B');
    const answer = await fetch(`${a.url}/v1/vms/web/qmp/x`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'fleet-misconfigured' }]);
  } finally {
    await scene.end();
  }
});
