import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { AccessControl } from '../access/access-control.js';
import type { AuthenticatedContext, GatewayRequest } from '../access/authenticated-request.js';
import { Principal } from '../access/principal.js';
import { TokenStore } from '../access/tokens/token-store.js';
import { HttpExchange, parseAnswer, type RequestParts } from '../http/http-exchange.scene.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { Problem } from '../problems/problem.js';
import { loadSettings } from '../settings/load-settings.js';
import { StateDirectory } from '../state/state-directory.js';
import { Dispatcher, type Entry, type UpgradeRouter } from './dispatcher.js';
import type { Listener } from './listener.js';

const scene = new Scene();
afterEach(() => scene.end());

interface DispatcherOptions {
  readonly requestsPerSecond?: number;
  readonly authenticate?: Entry['authenticator']['authenticate'];
  readonly base?: string;
}

/** A dispatcher between a listener without a network and parts that note what reaches them. */
class DispatcherScene implements UpgradeRouter {
  readonly clock = new ManualClock();
  readonly token: string;
  /** What reached the lane, the router of Nest and that of sockets. */
  readonly reached: string[] = [];
  readonly faults: string[] = [];
  /** What the lane does with a request on a path of its own. */
  atLane: (response: ServerResponse, context: AuthenticatedContext) => void = (response) => response.end('lane');
  /** Refuses the connections of a principal. */
  tooMany: Problem | undefined;
  readonly dispatcher: Dispatcher;
  readonly server = new EventEmitter();

  constructor({ requestsPerSecond = 0, authenticate, base = '' }: DispatcherOptions = {}) {
    const settings = loadSettings({}, {});
    Object.assign(settings, { allowedOrigins: ['https://panel.example'] });
    Object.assign(settings.limits, { requestsPerSecond });
    const tokens = new TokenStore(new StateDirectory(scene.directory()), this.clock);
    this.token = tokens.create({ name: 'ops', level: 'host', vms: ['*'] }).token;
    const surroundings = {
      routes: { traits: () => ({ takesCookie: false, takesCode: false }) },
      observer: { keysUnavailable: () => undefined },
    };
    const access = new AccessControl(settings, tokens, surroundings, this.clock);
    const authenticator = authenticate === undefined ? access.authenticator : { authenticate };
    this.dispatcher = new Dispatcher({
      entry: {
        ...{ rules: access.rules, backOff: access.backOff, limiter: access.limiter },
        authenticator: authenticator as Entry['authenticator'],
      },
      lane: { handle: (_request, response, context) => this.#lane(response, context) },
      sockets: this,
      connections: { claim: () => this.tooMany },
      replies: new ReplyBudget({ replyBytes: 1000 }),
      routes: {
        isPublic: (method, path) => method === 'GET' && ['/livez', '/docs'].includes(path),
        isNearPublic: (_method, path) => path === '/docs/',
      },
      log: { error: (_fields, message) => this.faults.push(message) },
      clock: this.clock,
      base,
    });
    this.dispatcher.handOthersTo((request, response) => this.#express(request, response));
    this.dispatcher.attach({
      ...{ server: this.server, door: { kind: 'tcp', port: 8080, secure: false } },
      ...{ address: { kind: 'tcp', host: '127.0.0.1', port: 8080 } },
      inTurn: (_socket: unknown, _own: unknown, step: () => void) => step(),
    } as unknown as Listener);
  }

  get bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  request(url: string, parts: RequestParts = {}): HttpExchange {
    const exchange = new HttpExchange(url, parts);
    this.server.emit('request', exchange.request, exchange.response);
    return exchange;
  }

  /** A request whose client waits to be asked for the body. */
  announce(url: string): HttpExchange {
    const exchange = new HttpExchange(url, { method: 'POST', headers: this.bearer });
    exchange.request.complete = false;
    this.server.emit('checkContinue', exchange.request, exchange.response);
    return exchange;
  }

  upgrade(url: string, headers: Record<string, string> = {}): HttpExchange {
    const exchange = new HttpExchange(url, { headers: { upgrade: 'websocket', connection: 'upgrade', ...headers } });
    this.server.emit('upgrade', exchange.request, exchange.wire, Buffer.from('head'));
    return exchange;
  }

  /** Status and code of the problem of a refused request. */
  async refusal(exchange: HttpExchange): Promise<[number, unknown]> {
    const { status, body } = await exchange.answer();
    return [status, (JSON.parse(body) as { code: unknown }).code];
  }

  /** Of a refused upgrade. */
  upgradeRefusal({ wire }: HttpExchange): [number, unknown] {
    const { status, body } = parseAnswer(wire.text);
    return [status, (JSON.parse(body) as { code: unknown }).code];
  }

  route(_request: IncomingMessage, _socket: Duplex, head: Buffer, context: AuthenticatedContext): Problem | undefined {
    if (context.path !== '/v1/ws') return new Problem('route-not-found', 'No socket is here.');
    this.reached.push(`socket ${context.principal.name} ${head.toString()}`);
    return undefined;
  }

  #lane(response: ServerResponse, context: AuthenticatedContext): boolean {
    if (!context.path.includes('/qmp/')) return false;
    this.reached.push(`lane ${context.path} ${context.principal.name}`);
    this.atLane(response, context);
    return true;
  }

  #express(request: IncomingMessage, response: ServerResponse): void {
    const { path, principal } = (request as GatewayRequest).gateway as Partial<AuthenticatedContext>;
    this.reached.push(`express ${path ?? ''} ${principal?.name ?? 'nobody'}`);
    response.end('express');
  }
}

const command = '/v1/vms/web-1/qmp/stop';
const wrong = { authorization: 'Bearer qmpgw_wrong' };

describe('the front door', () => {
  it.each([
    ['a foreign host', { host: 'evil.example' }, [403, 'host-refused']],
    ['a page of another origin', { origin: 'https://evil.example' }, [403, 'origin-refused']],
  ])('refuses %s before it looks at credentials', async (_, headers, refusal) => {
    const stage = new DispatcherScene();
    expect(await stage.refusal(stage.request(command, { headers: { ...stage.bearer, ...headers } }))).toEqual(refusal);
    expect(stage.reached).toEqual([]);
  });

  it('answers the preflight of an allowed page, and lets its requests read the answer', async () => {
    const stage = new DispatcherScene();
    const origin = 'https://panel.example';
    const preflight = { origin, 'access-control-request-method': 'POST' };
    expect(await stage.request(command, { method: 'OPTIONS', headers: preflight }).answer()).toMatchObject({
      ...{ status: 204, headers: { 'access-control-allow-origin': origin } },
    });
    expect(stage.reached).toEqual([]);
    const { headers } = await stage.request('/v1/vms', { headers: { ...stage.bearer, origin } }).answer();
    expect(headers).toMatchObject({ 'access-control-allow-origin': origin });
  });

  it('refuses credentials in an address, also valid ones', async () => {
    const stage = new DispatcherScene();
    const exchange = stage.request(`/docs?token=${stage.token}`, { headers: stage.bearer });
    expect(await stage.refusal(exchange)).toEqual([400, 'invalid-request']);
  });
});

describe('a request whose path has the path of publicUrl before it', () => {
  it('is the one without', async () => {
    const stage = new DispatcherScene({ base: '/qemu' });
    for (const url of ['/qemu/docs', '/docs', '/qemu/livez?x'])
      expect(await stage.request(url).answer()).toMatchObject({ status: 200 });
    for (const url of [`/qemu${command}`, command])
      expect(await stage.request(url, { headers: stage.bearer }).answer()).toMatchObject({ body: 'lane' });
    for (const url of ['/qemu', '/qemu/', '/qemu?x', '/qemux/docs', '/qemu%2Fdocs', '/Qemu/docs'])
      await stage.request(url, { headers: stage.bearer }).answer();
    stage.upgrade('/qemu/v1/ws', stage.bearer);
    expect(stage.reached).toEqual([
      ...['express /docs nobody', 'express /docs nobody', 'express /livez nobody'],
      ...[`lane ${command} ops`, `lane ${command} ops`],
      ...['express / ops', 'express / ops', 'express / ops'],
      ...['express /qemux/docs ops', 'express /qemu%2Fdocs ops', 'express /Qemu/docs ops', 'socket ops head'],
    ]);
  });

  it('has it once: what stands behind is the path', async () => {
    const stage = new DispatcherScene({ base: '/qemu' });
    await stage.request('/qemu/qemu/docs', { headers: stage.bearer }).answer();
    expect(stage.reached).toEqual(['express /qemu/docs ops']);
  });
});

describe('a request', () => {
  it('of a public path needs no credentials', async () => {
    const stage = new DispatcherScene();
    const { headers } = await stage.request('/docs', { headers: { 'x-request-id': 'mine.1' } }).answer();
    expect(headers).toMatchObject({ 'x-request-id': 'mine.1', 'x-content-type-options': 'nosniff' });
    expect(stage.reached).toEqual(['express /docs nobody']);
    expect(await stage.refusal(stage.request('/docs', { method: 'POST' }))).toEqual([401, 'unauthenticated']);
  });

  it('that no route takes, and that was meant for a public path, is answered as one with credentials', async () => {
    const stage = new DispatcherScene();
    await stage.request('/docs/').answer();
    await stage.request('/docs/', { headers: { authorization: 'Bearer wrong' } }).answer();
    expect(stage.reached).toEqual(['express /docs/ nobody', 'express /docs/ nobody']);
  });

  it('goes to the lane first, and to Nest when it is not of the lane', async () => {
    const stage = new DispatcherScene();
    await stage.request(command, { headers: stage.bearer }).answer();
    const { headers } = await stage.request('/v1/vms', { headers: stage.bearer }).answer();
    expect(stage.reached).toEqual([`lane ${command} ops`, 'express /v1/vms ops']);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  it('has an id of its own when the client sends none that can be used', async () => {
    const stage = new DispatcherScene();
    const ids = ['not a token', undefined].map(async (id) => {
      const headers = id === undefined ? {} : { 'x-request-id': id };
      return (await stage.request('/docs', { headers }).answer()).headers['x-request-id'];
    });
    const [first, second] = await Promise.all(ids);
    expect([first, second]).toEqual([expect.stringMatching(/^[0-9a-f]{10}-0$/), first?.replace(/0$/, '1')]);
  });

  it('is refused when its principal has too many connections', async () => {
    const stage = new DispatcherScene();
    stage.tooMany = new Problem('too-many-requests', 'Too many connections.');
    expect(await stage.refusal(stage.request(command, { headers: stage.bearer }))).toEqual([429, 'too-many-requests']);
    expect(stage.reached).toEqual([]);
  });

  it('is refused beyond the limit, until time has passed', async () => {
    const stage = new DispatcherScene({ requestsPerSecond: 2 });
    const ask = () => stage.request(command, { headers: stage.bearer });
    expect((await ask().answer()).status).toBe(200);
    await ask().answer();
    const third = ask();
    expect(await stage.refusal(third)).toEqual([429, 'too-many-requests']);
    expect((await third.answer()).headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '0' });
    stage.clock.advance(500);
    const { headers } = await stage.request('/v1/vms', { headers: stage.bearer }).answer();
    expect(headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '0' });
    expect(stage.reached).toHaveLength(3);
  });

  it('gets a problem for an error of ours, which the log has', async () => {
    const stage = new DispatcherScene();
    stage.atLane = () => {
      throw new Error('ours');
    };
    expect(await stage.refusal(stage.request(command, { headers: stage.bearer }))).toEqual([500, 'internal-error']);
    expect(stage.faults).toEqual(['request failed']);
  });

  it('is asked for its body when it waits for that', async () => {
    const stage = new DispatcherScene();
    const exchange = stage.announce(command);
    await exchange.answer();
    expect(exchange.wire.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(stage.reached).toEqual([`lane ${command} ops`]);
  });
});

describe('credentials', () => {
  it('that are wrong are refused later each time, from the sixth time on', async () => {
    const stage = new DispatcherScene();
    const guess = () => stage.request(command, { headers: wrong });
    const prompt = Array.from({ length: 5 }, guess);
    expect(prompt.map(({ isAnswered }) => isAnswered)).toEqual(Array(5).fill(true));
    const [sixth, seventh] = [guess(), guess()];
    stage.clock.advance(99);
    expect(sixth.isAnswered).toBe(false);
    stage.clock.advance(1);
    expect([sixth.isAnswered, seventh.isAnswered]).toEqual([true, false]);
    stage.clock.advance(100);
    expect(await stage.refusal(seventh)).toEqual([401, 'unauthenticated']);
  });

  it('that are valid are never delayed', () => {
    const stage = new DispatcherScene();
    for (let count = 0; count < 10; count++) stage.request(command, { headers: wrong });
    expect(stage.request(command, { headers: stage.bearer }).isAnswered).toBe(true);
  });

  it('that are absent are no guess', () => {
    const stage = new DispatcherScene();
    const answers = Array.from({ length: 20 }, () => stage.request(command));
    expect(answers.every(({ isAnswered }) => isAnswered)).toBe(true);
    expect(stage.clock.pending).toBe(0);
  });

  it('may take a while to check', async () => {
    const ops = new Principal('jwt:ops', 'ops', { level: 'read', vms: ['*'] });
    const identities = [ops, new Problem('unauthenticated', 'No.'), ops];
    const stage = new DispatcherScene({ authenticate: () => Promise.resolve(identities.shift() ?? ops) });
    const [good, bad] = [stage.request(command), stage.request(command)];
    expect([good.isAnswered, bad.isAnswered]).toEqual([false, false]);
    expect(await good.answer()).toMatchObject({ status: 200, body: 'lane' });
    expect(await stage.refusal(bad)).toEqual([401, 'unauthenticated']);
    stage.atLane = () => {
      throw new Error('ours');
    };
    expect(await stage.refusal(stage.request(command))).toEqual([500, 'internal-error']);
  });

  it('whose check fails by a fault of ours cost their own request only', async () => {
    const stage = new DispatcherScene({ authenticate: () => Promise.reject(new Error('ours')) });
    expect(await stage.refusal(stage.request(command))).toEqual([500, 'internal-error']);
    const upgrade = stage.upgrade('/v1/ws');
    await once(upgrade.wire, 'finish');
    expect(stage.upgradeRefusal(upgrade)).toEqual([500, 'internal-error']);
    expect(stage.faults).toEqual(['request failed', 'upgrade failed']);
  });
});

describe('a gateway that stops', () => {
  it('takes nothing new, and still says that it lives', async () => {
    const stage = new DispatcherScene();
    stage.dispatcher.drain();
    expect(await stage.refusal(stage.request(command, { headers: stage.bearer }))).toEqual([503, 'shutting-down']);
    expect((await stage.request('/livez').answer()).status).toBe(200);
    expect(stage.upgradeRefusal(stage.upgrade('/v1/ws', stage.bearer))).toEqual([503, 'shutting-down']);
  });
});

describe('an upgrade', () => {
  it('goes to the sockets with what came behind it', () => {
    const stage = new DispatcherScene();
    expect(stage.upgrade('/v1/ws', stage.bearer).isAnswered).toBe(false);
    expect(stage.reached).toEqual(['socket ops head']);
  });

  it.each([
    ['from a foreign origin', '/v1/ws', { origin: 'https://evil.example' }, [403, 'origin-refused']],
    ['with a body', '/v1/ws', { 'content-length': '5' }, [400, 'invalid-request']],
    ['with credentials in its address', '/v1/ws?token=qmpgw_1', {}, [400, 'invalid-request']],
    ['where no socket is', '/v1/vms', {}, [404, 'route-not-found']],
  ])('is refused %s', (_, url, headers, refusal) => {
    const stage = new DispatcherScene();
    const exchange = stage.upgrade(url, { ...stage.bearer, ...headers });
    expect(stage.upgradeRefusal(exchange)).toEqual(refusal);
    expect(exchange.wire.writableEnded).toBe(true);
    expect(stage.reached).toEqual([]);
  });

  it('counts as a request and as a connection of its principal', () => {
    const stage = new DispatcherScene({ requestsPerSecond: 1 });
    stage.upgrade('/v1/ws', stage.bearer);
    expect(stage.upgradeRefusal(stage.upgrade('/v1/ws', stage.bearer))).toEqual([429, 'too-many-requests']);
    stage.clock.advance(1000);
    stage.tooMany = new Problem('too-many-requests', 'Too many connections.');
    expect(stage.upgradeRefusal(stage.upgrade('/v1/ws', stage.bearer))).toEqual([429, 'too-many-requests']);
    expect(stage.reached).toHaveLength(1);
  });

  it('to another protocol is ignored: the request comes once more without it', () => {
    const stage = new DispatcherScene();
    let again = '';
    stage.server.on('connection', (socket: Duplex) => (again = String(socket.read())));
    stage.upgrade('/v1/vms', { upgrade: 'h2c' });
    expect(again).toBe('GET /v1/vms HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nconnection: \r\n\r\nhead');
    expect(stage.reached).toEqual([]);
  });

  it('with wrong credentials is refused as late as a request', () => {
    const stage = new DispatcherScene();
    for (let count = 0; count < 5; count++) stage.request(command, { headers: wrong });
    const exchange = stage.upgrade('/v1/ws', { 'sec-websocket-protocol': 'bearer.qmpgw_wrong' });
    expect(exchange.isAnswered).toBe(false);
    stage.clock.advance(100);
    expect(stage.upgradeRefusal(exchange)).toEqual([401, 'unauthenticated']);
  });

  it('waits for credentials that take a while to check', async () => {
    const stage = new DispatcherScene({ authenticate: () => Promise.resolve(new Problem('unauthenticated', 'No.')) });
    const exchange = stage.upgrade('/v1/ws');
    expect(exchange.isAnswered).toBe(false);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    expect(stage.upgradeRefusal(exchange)).toEqual([401, 'unauthenticated']);
  });
});
