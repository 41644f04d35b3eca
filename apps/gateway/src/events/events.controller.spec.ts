import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Principal, type VmIdentity } from '../access/principal.js';
import { ReplyBudget } from '../http/reply-budget.js';
import type { GatewayRequest } from '../access/authenticated-request.js';
import { asProblem, problemBody } from '../problems/problem.js';
import { EventHub } from './event-hub.js';
import { readHeaders, readQuery } from '../http/resource/read-shape.js';
import { EventSelection, LastEvent } from './event-shapes.js';
import { EventsController } from './events.controller.js';
import { ShownEvents } from './shown-events.js';
import { vmNotFound } from '../vms/vm-registry.js';

const principal = new Principal('p', 'p', { level: 'host', vms: ['web-*', 'db'] });
const known = ['web-1', 'db', 'secret'];
const replies = new ReplyBudget({ replyBytes: 1 });
let hub: EventHub;

/** What the pipe of the path does. */
function visible(id: string): VmIdentity {
  if (!known.includes(id) || !principal.sees({ id, labels: {} })) throw vmNotFound(id);
  return { id, labels: {} };
}
let server: Server;

/** The controller behind a bare HTTP server: what Nest adds is not at stake here. */
beforeEach(async () => {
  hub = new EventHub({ run: 'r1' });
  const controller = new EventsController(new ShownEvents(hub, undefined));
  server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const gateway = { principal, requestId: 'req-1', arrivedAt: 0, path, query, answerHeaders: {}, replies };
    Object.assign(request, { gateway } satisfies Pick<GatewayRequest, 'gateway'>);
    const vm = /^\/v1\/vms\/([^/]+)\/events$/.exec(path)?.[1];
    const answer = async () => {
      const [selection, last] = [readQuery(EventSelection, query), readHeaders(LastEvent, request.headers)];
      if (vm === undefined) await controller.ofAll(response, selection, last);
      else await controller.ofOne(visible(vm), response, selection, last);
    };
    answer().catch((thrown: unknown) => {
      const problem = asProblem(thrown);
      response.writeHead(problem.status).end(JSON.stringify(problemBody(problem)));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  hub.closeAll();
  server.closeAllConnections();
  server.close();
});

const publish = (vm: string, name: string) =>
  hub.publish({ id: vm, labels: {}, epoch: 'r1.1' }, { name, data: undefined, timestamp: '{}', receivedAt: 0 });

async function request(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(get({ port, path, headers, agent: false }), 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
}

async function json(path: string, headers: Record<string, string> = {}): Promise<Record<string, never>> {
  const response = await request(path, headers);
  let text = '';
  for await (const chunk of response) text += chunk as string;
  return JSON.parse(text) as Record<string, never>;
}

/** Reads until the text holds what is waited for. */
async function readUntil(response: IncomingMessage, wanted: string): Promise<string> {
  let text = '';
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    text += chunk as string;
    if (text.includes(wanted)) break;
  }
  return text;
}

describe('a page of history', () => {
  it('is what is kept, by default', async () => {
    publish('web-1', 'STOP');
    publish('secret', 'STOP');
    publish('db', 'RESET');
    const response = await request('/v1/events');
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const page = JSON.parse(await readUntil(response, 'oldest')) as { events: { vm: string }[] };
    expect(page).toMatchObject({ cursor: 'r1.3', oldest: 'r1.0' });
    expect(page.events.map(({ vm }) => vm)).toEqual(['web-1', 'db']);
  });

  it('is of one VM under its path, and no VM that may not be seen', async () => {
    publish('web-1', 'STOP');
    publish('db', 'RESET');
    expect(await json('/v1/vms/db/events')).toMatchObject({ events: [{ event: 'RESET' }] });
    expect(await json('/v1/vms/secret/events')).toMatchObject({ code: 'vm-not-found', vm: 'secret' });
    expect(await json('/v1/vms/none/events')).toMatchObject({ code: 'vm-not-found' });
  });

  it('waits for the first match', async () => {
    const waiting = json('/v1/events?event=SHUTDOWN&wait=60s&limit=1');
    const seen = hub.stats;
    while (seen.subscribers === 0) await new Promise((resolve) => setImmediate(resolve));
    publish('db', 'STOP');
    publish('db', 'SHUTDOWN');
    expect(await waiting).toMatchObject({ events: [{ event: 'SHUTDOWN', cursor: 'r1.2' }], cursor: 'r1.2' });
  });

  it('is empty when nothing came in time', async () => {
    publish('db', 'STOP');
    expect(await json('/v1/events?after=r1.1&wait=10ms')).toEqual({ events: [], cursor: 'r1.1', oldest: 'r1.0' });
  });

  it('says that a cursor of another run is expired', async () => {
    expect(await json('/v1/events?after=r0.5')).toMatchObject({ status: 410, code: 'cursor-expired', oldest: 'r1.0' });
  });

  it.each([
    ['after=nonsense', '/after', undefined],
    ['after=r1.99', '/after', undefined],
    ['limit=0', '/limit', undefined],
    ['limit=10001', '/limit', undefined],
    ['wait=3min', '/wait', undefined],
    ['wait=121s', '/wait', undefined],
    ['evnt=STOP', '/evnt', ['event']],
    ['label=tenant', '/label', undefined],
    ['limit=1&limit=2', '/limit', undefined],
    ['coalesce=1s', '/coalesce', undefined],
    ['int64=number', '/int64', undefined],
    ['event=a/b', '/event', undefined],
  ])('refuses ?%s', async (query, pointer, suggestions) => {
    const problem = await json(`/v1/events?${query}`);
    expect(problem).toMatchObject({ status: 400, code: 'invalid-request', errors: [{ pointer }] });
    expect(problem['errors']?.[0]?.['suggestions']).toEqual(suggestions);
  });
});

describe('server-sent events', () => {
  it('open with the position, then bring events', async () => {
    const response = await request('/v1/events', { accept: 'text/event-stream' });
    expect(response.headers['content-type']).toBe('text/event-stream');
    expect(await readUntil(response, 'id: r1.0\n\n')).toBe('retry: 2000\n\nid: r1.0\n\n');
    publish('db', 'STOP');
    const text = await readUntil(response, '\n\n');
    expect(text).toMatch(/^id: r1\.1\ndata: \{"cursor":"r1\.1","vm":"db",.*\}\n\n$/);
    response.destroy();
  });

  it('resume after Last-Event-ID, whatever the address says', async () => {
    for (const name of ['A', 'B', 'C']) publish('db', name);
    const headers = { accept: 'text/event-stream', 'last-event-id': 'r1.2' };
    const text = await readUntil(await request('/v1/events?after=r1.0', headers), '"C"');
    expect(text).not.toContain('"B"');
  });

  it('end properly when the gateway stops', async () => {
    const response = await request('/v1/events', { accept: 'text/event-stream' });
    await readUntil(response, 'id: r1.0\n\n');
    publish('db', 'STOP');
    hub.closeAll();
    let text = '';
    for await (const chunk of response) text += chunk as string;
    expect(text).toContain('"STOP"');
    expect(response.complete).toBe(true);
  });

  it('leave nothing behind when the client goes', async () => {
    const response = await request('/v1/events', { accept: 'text/event-stream' });
    await readUntil(response, 'id: r1.0\n\n');
    expect(hub.stats.subscribers).toBe(1);
    response.destroy();
    while (hub.stats.subscribers > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('NDJSON', () => {
  it('is a line per event, with bookmarks when asked', async () => {
    const response = await request('/v1/events?bookmarks=true', { accept: 'application/x-ndjson;int64=string' });
    expect(JSON.parse(await readUntil(response, '\n'))).toMatchObject({ event: 'bookmark', cursor: 'r1.0' });
    hub.publish(
      { id: 'db', labels: {}, epoch: null },
      { name: 'X', data: '{"n":9007199254740993}', timestamp: '{}', receivedAt: 0 },
    );
    expect(JSON.parse(await readUntil(response, '\n'))).toMatchObject({ event: 'X', data: { n: '9007199254740993' } });
    response.destroy();
  });

  it('brings a long history whole to a slow reader', async () => {
    for (let i = 0; i < 20_000; i++) publish('db', 'E');
    const response = await request('/v1/events?after=oldest', { accept: 'application/x-ndjson' });
    let lines = 0;
    let rest = '';
    for await (const chunk of response.iterator({ destroyOnReturn: true })) {
      const parts = (rest + (chunk as string)).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) expect((JSON.parse(line) as { cursor: string }).cursor).toBe(`r1.${++lines}`);
      await new Promise((resolve) => setImmediate(resolve));
      if (lines === 20_000) break;
    }
    expect(lines).toBe(20_000);
  });
});
