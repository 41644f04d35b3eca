import { afterEach, describe, expect, it, vi } from 'vitest';
import { events, type EventStreamOptions } from './event-stream.js';
import type { EventSurroundings } from './event-transport.js';
import { GatewayHttp } from './gateway-http.js';
import { GatewayProblem, GatewayUnreachable, type GatewayEvent, type WebSocketLike } from './index.js';

/** What one request for a stream is answered with. */
type Script = Response | Error;

interface Played {
  readonly urls: string[];
  readonly delays: number[];
  readonly stream: AsyncGenerator<GatewayEvent, void, undefined>;
}

const encoder = new TextEncoder();

/** Server-sent events; `end` says how the connection ends. */
function sse(lines: readonly string[], end: 'closed' | 'broken' | 'open' = 'closed'): Response {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const line = lines[sent++];
      if (line !== undefined) controller.enqueue(encoder.encode(line));
      else if (end === 'closed') controller.close();
      else if (end === 'broken') controller.error(new TypeError('terminated'));
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

const position = (n: number): string => `id: r.${n}\n\n`;
const event = (n: number): string => `id: r.${n}\ndata: {"cursor":"r.${n}","vm":"a","event":"STOP","data":{}}\n\n`;

function problem(code: string, status: number, retryable: boolean): Response {
  return new Response(JSON.stringify({ code, status, retryable, outcome: 'not-sent' }), {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  });
}

function play(scripts: readonly Script[], options: EventStreamOptions = {}): Played {
  const urls: string[] = [];
  const delays: number[] = [];
  const fetch = (url: string, { signal }: RequestInit): Promise<Response> => {
    const script = scripts[urls.length];
    urls.push(url);
    if (script === undefined) return new Promise(() => undefined);
    if (script instanceof Error) return Promise.reject(script);
    const { body, status, headers } = script;
    const abortable = body?.pipeThrough(new TransformStream(), signal ? { signal } : {}) ?? null;
    return Promise.resolve(new Response(abortable, { status, headers }));
  };
  const surroundings: EventSurroundings = {
    http: new GatewayHttp('http://gw', undefined, fetch),
    WebSocket: undefined,
    random: () => 1,
    sleep: (ms) => {
      delays.push(ms);
      return Promise.resolve();
    },
  };
  return { urls, delays, stream: events(surroundings, options) };
}

async function take(stream: AsyncGenerator<GatewayEvent, void, undefined>, count: number): Promise<string[]> {
  const cursors: string[] = [];
  while (cursors.length < count) {
    const { value, done } = await stream.next();
    if (done === true) break;
    cursors.push(value.cursor);
  }
  return cursors;
}

afterEach(() => void vi.useRealTimers());

describe('events over SSE', () => {
  it('asks for what is wanted', async () => {
    const options = { vm: ['a', 'web-*'], event: 'BLOCK_*', label: { tenant: 'x' }, coalesce: '200ms', after: 'r.1' };
    const { urls, stream } = play([sse([position(1), event(2)])], options);
    await take(stream, 1);
    await stream.return();
    expect(urls).toEqual(['http://gw/v1/events?vm=a&vm=web-*&event=BLOCK_*&label=tenant%3Dx&coalesce=200ms&after=r.1']);
  });

  it('goes on after the last event when the connection ends, breaks or is refused for a time', async () => {
    const { urls, stream } = play([
      sse(['retry: 2000\n\n', position(1), event(2), event(3).slice(0, 20)], 'broken'),
      sse([position(2), event(3) + event(4)]),
      new TypeError('fetch failed'),
      problem('shutting-down', 503, true),
      new Response('Bad gateway', { status: 502 }),
      sse([position(4), event(5)], 'open'),
    ]);
    expect(await take(stream, 4)).toEqual(['r.2', 'r.3', 'r.4', 'r.5']);
    expect(urls.map((url) => new URL(url).searchParams.get('after'))).toEqual([
      null,
      'r.2',
      'r.4',
      'r.4',
      'r.4',
      'r.4',
    ]);
  });

  it('goes on after the position told last when nothing happened', async () => {
    const { urls, stream } = play([sse([position(1), position(9)]), sse([position(9), event(10)], 'open')]);
    expect(await take(stream, 1)).toEqual(['r.10']);
    expect(urls[1]).toBe('http://gw/v1/events?after=r.9');
  });

  it('reads an event in whatever pieces it comes', async () => {
    const bytes = encoder.encode(event(2).replace('STOP', 'ÄÖ€'));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      },
    });
    const { stream } = play([new Response(body)]);
    expect(await stream.next()).toMatchObject({ value: { event: 'ÄÖ€' } });
  });

  it('waits longer with each failure, and as before once events come', async () => {
    const failures = Array.from({ length: 8 }, () => new TypeError('fetch failed'));
    const { delays, stream } = play([
      sse([position(1), event(2)]),
      ...failures,
      sse([position(2), event(3)]),
      sse([position(3), event(4)]),
    ]);
    await take(stream, 3);
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 250]);
  });

  it('does not hurry for a gateway that ends every stream at once', async () => {
    const { delays, stream } = play([
      sse([position(1)]),
      sse([position(1)]),
      sse([position(1)]),
      sse([position(1), event(2)]),
    ]);
    await take(stream, 1);
    expect(delays).toEqual([250, 500, 1000]);
  });

  it('throws when the first connection fails', async () => {
    await expect(play([new TypeError('fetch failed')]).stream.next()).rejects.toThrow(GatewayUnreachable);
    const refused = play([problem('unauthenticated', 401, false)]).stream.next();
    await expect(refused).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('throws when going on is senseless', async () => {
    const { stream } = play([sse([position(1), event(2)]), problem('unauthenticated', 401, false)]);
    await take(stream, 1);
    await expect(stream.next()).rejects.toThrow(GatewayProblem);
  });

  it('tells when there is a connection, and when it was lost and why', async () => {
    const heard: string[] = [];
    const onConnection = (open: boolean, error?: unknown) =>
      heard.push(`${open} ${error instanceof Error ? error.name : ''}`);
    const scripts = [sse([position(1), event(2)], 'broken'), sse([position(2)]), sse([event(3)], 'open')];
    const { stream } = play(scripts, { onConnection });
    expect(await take(stream, 2)).toEqual(['r.2', 'r.3']);
    expect(heard).toEqual(['true ', 'false GatewayUnreachable', 'true ', 'false ', 'true ']);
  });

  it('takes silence for a lost connection', async () => {
    vi.useFakeTimers();
    const { urls, stream } = play([sse([position(1)], 'open'), sse([position(1), event(2)])]);
    const next = stream.next();
    await vi.advanceTimersByTimeAsync(44_000);
    expect(urls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await next).toMatchObject({ value: { cursor: 'r.2' } });
    await stream.return();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("throws the caller's reason when it wants no more", async () => {
    const stop = new AbortController();
    const { stream } = play([sse([position(1), event(2)], 'open')], { signal: stop.signal });
    await take(stream, 1);
    const next = stream.next();
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(next).rejects.toBe(reason);
  });
});

class FakeWebSocket implements WebSocketLike {
  static made: FakeWebSocket[] = [];
  readonly sent: { id: string; method: string; params?: Record<string, unknown> }[] = [];
  closed = false;
  readonly #listeners = new Map<string, (event: object) => void>();

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeWebSocket.made.push(this);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as (typeof this.sent)[number]);
  }

  close(): void {
    this.closed = true;
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, listener);
  }

  emit(type: string, data?: unknown): void {
    this.#listeners.get(type)?.({ data });
  }

  async accept(cursor: string): Promise<void> {
    this.emit('open');
    await vi.waitUntil(() => this.sent.length > 0);
    this.emit('message', `{"jsonrpc":"2.0","id":"subscribe","result":{"subscription":1,"cursor":"${cursor}"}}`);
  }

  event(n: number, data = '{}'): void {
    const params = `{"subscription":1,"cursor":"r.${n}","vm":"a","event":"BALLOON_CHANGE","data":${data}}`;
    this.emit('message', `{"jsonrpc":"2.0","method":"event","params":${params}}`);
  }
}

/** The socket made as the `n`th. */
async function socket(n: number): Promise<FakeWebSocket> {
  return vi.waitUntil(() => FakeWebSocket.made[n - 1]);
}

describe('events over WebSocket', () => {
  const playSocket = (options: EventStreamOptions = {}, access?: Response) => {
    FakeWebSocket.made = [];
    const asked: string[] = [];
    const fetch = (url: string): Promise<Response> => {
      asked.push(url);
      return access === undefined ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(access.clone());
    };
    const http = new GatewayHttp('https://gw', 'secret', fetch);
    const surroundings = { http, WebSocket: FakeWebSocket, random: () => 1, sleep: () => Promise.resolve() };
    return { stream: events(surroundings, { ...options, transport: 'websocket' }), asked };
  };

  it('subscribes with the credentials as a sub-protocol', async () => {
    const { stream } = playSocket({ vm: 'a', event: ['STOP', 'RESUME'], label: { tenant: 'x' }, after: 'oldest' });
    const next = stream.next();
    const first = await socket(1);
    await first.accept('r.1');
    first.event(2, '{"actual":3}');
    expect(first).toMatchObject({ url: 'wss://gw/v1/ws', protocols: ['qmp-gateway.v1', 'bearer.secret'] });
    expect(first.sent[0]).toMatchObject({
      method: 'subscribe',
      params: { vm: ['a'], event: ['STOP', 'RESUME'], label: ['tenant=x'], after: 'oldest' },
    });
    const value = { cursor: 'r.2', vm: 'a', event: 'BALLOON_CHANGE', data: { actual: 3n } };
    expect(await next).toEqual({ done: false, value });
    await stream.return();
    expect(first.closed).toBe(true);
  });

  it('goes on after the last event when the connection is lost', async () => {
    const { stream } = playSocket();
    const next = stream.next();
    const first = await socket(1);
    await first.accept('r.1');
    first.event(2);
    first.event(3);
    first.emit('close');
    expect(await next).toMatchObject({ value: { cursor: 'r.2' } });
    expect(await stream.next()).toMatchObject({ value: { cursor: 'r.3' } });
    const third = stream.next();
    const second = await socket(2);
    await second.accept('r.3');
    second.event(4);
    expect(second.sent[0]).toMatchObject({ params: { after: 'r.3' } });
    expect(await third).toMatchObject({ value: { cursor: 'r.4' } });
    await stream.return();
  });

  it('gives the connection up when the consumer is too slow, and goes on where that is', async () => {
    const { stream } = playSocket();
    const next = stream.next();
    const first = await socket(1);
    await first.accept('r.1');
    const megabyte = JSON.stringify('x'.repeat(1024 * 1024));
    for (let n = 2; n < 40; n++) first.event(n, megabyte);
    expect(first.closed).toBe(true);
    const kept = [(await next).value?.cursor, ...(await take(stream, 15))];
    expect(kept.at(-1)).toBe('r.17');
    const afterThat = stream.next();
    const second = await socket(2);
    await second.accept('r.17');
    expect(second.sent[0]).toMatchObject({ params: { after: 'r.17' } });
    second.event(18);
    expect(await afterThat).toMatchObject({ value: { cursor: 'r.18' } });
    await stream.return();
  });

  it('finds out over HTTP why it was refused', async () => {
    const { stream, asked } = playSocket({}, problem('unauthenticated', 401, false));
    const next = stream.next();
    (await socket(1)).emit('error');
    await expect(next).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(asked).toEqual(['https://gw/v1/access']);
  });

  it('throws what a subscription is refused for', async () => {
    const { stream } = playSocket();
    const next = stream.next();
    const first = await socket(1);
    first.emit('open');
    await vi.waitUntil(() => first.sent.length > 0);
    const error = {
      code: -32602,
      message: 'event: not a glob',
      data: { errors: [{ pointer: '/event', message: 'not a glob' }] },
    };
    first.emit('message', JSON.stringify({ jsonrpc: '2.0', id: 'subscribe', error }));
    await expect(next).rejects.toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/event' }] });
    expect(first.closed).toBe(true);
  });

  it('asks for signs of life, and takes silence for a lost connection', async () => {
    vi.useFakeTimers();
    const { stream } = playSocket();
    const next = stream.next();
    const first = await socket(1);
    await first.accept('r.1');
    for (let pings = 1; pings <= 4; pings++) {
      await vi.advanceTimersByTimeAsync(15_000);
      expect(first.sent.filter(({ method }) => method === 'ping')).toHaveLength(pings);
      first.emit('message', '{"jsonrpc":"2.0","id":"ping","result":{}}');
    }
    expect(first.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(first.closed).toBe(true);
    const second = await socket(2);
    await second.accept('r.1');
    second.event(2);
    expect(await next).toMatchObject({ value: { cursor: 'r.2' } });
    await stream.return();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("throws the caller's reason when it wants no more, connected or not", async () => {
    const stop = new AbortController();
    const { stream } = playSocket({ signal: stop.signal });
    const next = stream.next();
    const first = await socket(1);
    stop.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    expect(first.closed).toBe(true);
  });
});
