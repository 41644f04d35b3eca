import { describe, expect, it } from 'vitest';
import { GatewayClosed } from './gateway-problem.js';
import { GatewayClient, type SerialPart, type SerialStream } from './index.js';

/** A WebSocket whose other end is the test. */
class Line {
  static readonly all: Line[] = [];
  binaryType = '';
  readonly sent: unknown[] = [];
  closed = false;
  readonly #listeners = new Map<string, ((event: object) => void)[]>();

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    Line.all.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  emit(type: string, event: object = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  says(text: string): void {
    this.emit('message', { data: Uint8Array.from(Buffer.from(text)).buffer });
  }

  tells(news: object): void {
    this.emit('message', { data: JSON.stringify(news) });
  }

  ends(code: number, reason = ''): void {
    this.emit('close', { code, reason });
  }
}

const fetch = (): Promise<Response> =>
  Promise.resolve(new Response('{}', { headers: { 'Content-Type': 'application/json' } }));

function opened(options = {}): SerialStream {
  Line.all.length = 0;
  const client = new GatewayClient({ url: 'https://gw', token: 'secret', fetch, WebSocket: Line });
  return client.vm('a b').serial('s0').connect(options);
}

/** Reads a stream beside the test. */
function reading(stream: SerialStream) {
  const parts: SerialPart[] = [];
  const over = (async () => {
    for await (const part of stream) parts.push(part);
  })();
  over.catch(() => undefined);
  return {
    parts,
    over,
    output: () => Buffer.concat(parts.flatMap((part) => (part.kind === 'output' ? [part.bytes] : []))),
  };
}

const connection = (at = 0): Promise<Line> =>
  expect
    .poll(() => Line.all[at], { timeout: 5000 })
    .toBeDefined()
    .then(() => Line.all[at] as Line);

describe('a serial line', () => {
  it('gives what it says in its order, with what the gateway says', async () => {
    const stream = opened({ view: true });
    const { parts } = reading(stream);
    const line = await connection();
    expect([line.url, line.protocols]).toEqual([
      'wss://gw/v1/vms/a%20b/serials/s0/stream?view=true',
      ['qmp-gateway.serial.v1', 'bearer.secret'],
    ]);
    expect(line.binaryType).toBe('arraybuffer');
    line.emit('open');
    line.tells({ position: 'r-1.10', types: true, typist: null, you: false });
    line.says('abc');
    line.tells({ gap: 4 });
    line.tells({ typist: 'ann', you: false });
    line.tells({ refused: 'no' });
    await expect.poll(() => parts).toHaveLength(6);
    expect(parts).toEqual([
      { kind: 'connection', open: true },
      { kind: 'typist', typist: null, you: false },
      { kind: 'output', bytes: Uint8Array.from(Buffer.from('abc')) },
      { kind: 'gap', bytes: 4 },
      { kind: 'typist', typist: 'ann', you: false },
      { kind: 'refused', reason: 'no' },
    ]);
    expect(stream.position).toBe('r-1.17');
    stream.close();
    await expect.poll(() => line.closed).toBe(true);
  });

  it('goes on after a loss where it was', async () => {
    const stream = opened();
    const { parts, output } = reading(stream);
    const first = await connection();
    first.emit('open');
    first.tells({ position: 'r-1.0', types: true, typist: null, you: false });
    first.says('before ');
    first.ends(1012, 'the serial line ended');
    const second = await connection(1);
    expect(second.url).toMatch(/stream\?after=r-1\.7$/);
    expect(parts.at(-1)).toEqual({ kind: 'connection', open: false });
    second.emit('open');
    second.tells({ position: 'r-1.7', types: true, typist: null, you: false });
    second.says('after');
    await expect.poll(() => output().toString()).toBe('before after');
    stream.close();
  });

  it.each([
    ['at once when there is no such line', 4404, false],
    ['at once when the line cannot be had', 1013, false],
    ['when the credentials have gone', 4401, true],
  ])('ends %s', async (_, code, begun) => {
    const { over } = reading(opened());
    const line = await connection();
    line.emit('open');
    if (begun) line.tells({ position: 'r-1.0', types: true, typist: null, you: false });
    line.ends(code, 'because');
    await expect(over).rejects.toThrow(GatewayClosed);
    await expect(over).rejects.toMatchObject({ code, reason: 'because' });
    expect(Line.all).toHaveLength(1);
  });

  it('types what is written, and nothing while there is no connection', async () => {
    const stream = opened();
    expect([stream.write('lost'), stream.take(), stream.sendBreak()]).toEqual([false, false, false]);
    reading(stream);
    const line = await connection();
    line.emit('open');
    expect([stream.write('ls\n'), stream.take(), stream.sendBreak()]).toEqual([true, true, true]);
    expect(line.sent).toEqual([Uint8Array.from(Buffer.from('ls\n')), '{"take":true}', '{"break":true}']);
    stream.close();
  });

  it('ends without an error when it is closed, with its own when it is aborted', async () => {
    const ending = new AbortController();
    const [closed, aborted] = [opened(), opened({ signal: ending.signal })];
    const [one, two] = [reading(closed), reading(aborted)];
    closed.close();
    ending.abort(new Error('mine'));
    await expect(one.over).resolves.toBeUndefined();
    await expect(two.over).rejects.toThrow('mine');
  });
});
