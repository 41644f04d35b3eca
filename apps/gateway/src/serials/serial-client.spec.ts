import { EventEmitter } from 'node:events';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Leaver } from '../upgrades/socket-connection.js';
import { SerialClient } from './serial-client.js';
import { keptBytes, SerialLine } from './serial-line.js';
import type { SerialLink } from './serial-link.js';

/** The end in QEMU. */
class Guest implements SerialLink {
  readonly canType = true;
  waiting = 0;
  readonly line: SerialLine;
  typed = '';
  takes = true;
  closed = false;

  constructor() {
    this.line = new SerialLine({ id: 's0' } as never, 'run-1', () => undefined);
    this.attach();
  }

  attach(): void {
    this.line.attach(() => this);
  }

  says(text: string | Buffer): void {
    this.line.received(Buffer.from(text));
  }

  write(bytes: Buffer): boolean {
    this.typed += bytes.toString();
    return this.takes;
  }

  close(): void {
    this.closed = true;
  }
}

/** A WebSocket whose client reads when the test says so. */
class Client extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  isPaused = false;
  bufferedAmount = 0;
  reads = true;
  readonly socket = new EventEmitter();
  readonly said: object[] = [];
  output = Buffer.alloc(0);
  code = 0;
  readonly closings: object[] = [];
  readonly breaks: string[] = [];
  readonly stream: SerialClient;
  readonly count = { looking: 0, typing: 0, received: 0, sent: 0 };

  constructor(
    guest: Guest,
    { name = 'ann', mayType = true, after }: { name?: string; mayType?: boolean; after?: string } = {},
  ) {
    super();
    this.stream = new SerialClient(guest.line, {
      ...{ client: this as unknown as WebSocket, socket: this.socket as never, name, mayType, after },
      ...{ leavers: new Set<Leaver>(), count: this.count, clock: new ManualClock() },
      sendBreak: () => Promise.resolve(void this.breaks.push('break')),
      takenOver: (from) => void this.said.push({ audited: from }),
      closed: (end) => void this.closings.push(end),
    });
    guest.line.join(this.stream);
  }

  send(data: Buffer | string): void {
    if (typeof data === 'string') this.said.push(JSON.parse(data) as object);
    else this.output = Buffer.concat([this.output, data]);
    if (!this.reads) this.bufferedAmount += data.length;
  }

  readsOn(): void {
    this.bufferedAmount = 0;
    this.socket.emit('drain');
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: number): void {
    this.code = code;
    this.readyState = 3;
    this.emit('close');
  }

  types(text: string): this {
    this.emit('message', Buffer.from(text), true);
    return this;
  }

  asks(text: string): this {
    this.emit('message', Buffer.from(text), false);
    return this;
  }
}

describe('a client of a serial line', () => {
  it('gets what was said before, then what is said', () => {
    const guest = new Guest();
    guest.says('before;');
    const client = new Client(guest);
    guest.says('live');
    expect(client.output.toString()).toBe('before;live');
    expect(client.said).toEqual([{ position: 'run-1.0', types: true, typist: null, you: false }]);
  });

  it('goes on where it was', () => {
    const guest = new Guest();
    guest.says('0123456789');
    const client = new Client(guest, { after: 'run-1.6' });
    expect(client.output.toString()).toBe('6789');
    expect(client.said).toMatchObject([{ position: 'run-1.6' }]);
  });

  it.each(['run-2.6', 'run-1.11'])('is told after %s that nobody knows what it missed', (after) => {
    const guest = new Guest();
    guest.says('0123456789');
    const client = new Client(guest, { after });
    expect(client.said).toMatchObject([{ position: 'run-1.0' }, { gap: null }]);
    expect(client.output.toString()).toBe('0123456789');
  });

  it('that does not read holds up nobody, has a bound, and is told how much it missed', () => {
    const guest = new Guest();
    const slow = new Client(guest);
    const quick = new Client(guest);
    slow.reads = false;
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let at = 0; at < 160; at++) guest.says(piece);
    expect(quick.output).toHaveLength(160 * piece.length);
    expect(slow.bufferedAmount).toBeLessThanOrEqual(600 * 1024);
    const before = slow.output.length;
    slow.reads = true;
    slow.readsOn();
    const missed = 160 * piece.length - keptBytes - before;
    expect(slow.said).toContainEqual({ gap: missed });
    expect(slow.output).toHaveLength(before + keptBytes);
    guest.says('end');
    expect(slow.output.subarray(-3).toString()).toBe('end');
  });

  it('is told of output lost while the gateway was not attached', () => {
    const guest = new Guest();
    guest.says('one');
    const client = new Client(guest);
    guest.line.detach();
    guest.attach();
    expect(client.said).toContainEqual({ gap: null });
    guest.says('two');
    expect(new Client(guest, { after: 'run-1.1' }).said).toContainEqual({ gap: null });
    expect(new Client(guest, { after: 'run-1.3' }).said).not.toContainEqual({ gap: null });
  });

  it('types alone, until it leaves or another takes over', () => {
    const guest = new Guest();
    const ann = new Client(guest);
    const bob = new Client(guest, { name: 'bob' });
    ann.types('a');
    bob.types('b').types('b');
    expect(bob.said.slice(1)).toEqual([
      { typist: 'ann', you: false },
      { typist: 'ann', you: false },
    ]);
    bob.asks('{"take":true}').types('c');
    ann.types('d');
    expect(guest.typed).toBe('ac');
    expect(ann.said).toContainEqual({ typist: 'bob', you: false });
    expect(bob.said.slice(-2)).toEqual([{ typist: 'bob', you: true }, { audited: 'ann' }]);
    bob.close(1000);
    expect(ann.said.at(-1)).toEqual({ typist: null, you: false });
    expect([ann.count, bob.count]).toMatchObject([
      { looking: 1, typing: 0, received: 1 },
      { looking: 0, typing: 0, received: 1 },
    ]);
    expect(bob.closings).toEqual([{ reason: 'client left', received: 1, sent: 0 }]);
  });

  it('is not read while the guest does not take what is typed', () => {
    const guest = new Guest();
    const client = new Client(guest);
    guest.takes = false;
    client.types('much');
    expect(client.isPaused).toBe(true);
    guest.line.drained();
    expect(client.isPaused).toBe(false);
  });

  it('is told that what it types is dropped where too much of others waits', () => {
    const guest = new Guest();
    const client = new Client(guest);
    guest.waiting = 2 * 1024 * 1024 + 1;
    client.types('more');
    expect([guest.typed, client.count.received, client.isPaused]).toEqual(['', 0, true]);
    expect(client.said.at(-1)).toEqual({ refused: expect.stringContaining('dropped') as string });
    guest.waiting = 0;
    guest.line.drained();
    client.types('again');
    expect([guest.typed, client.isPaused]).toEqual(['again', false]);
  });

  it('that sends without reading the answers is ended', () => {
    const client = new Client(new Guest(), { mayType: false });
    client.reads = false;
    for (let count = 0; count < 50_000; count++) client.types('x');
    expect(client.code).toBe(4408);
    expect(client.bufferedAmount).toBeLessThan(1.1 * 1024 * 1024);
  });

  it('that only looks types nothing, takes nothing over and breaks nothing', () => {
    const guest = new Guest();
    const client = new Client(guest, { mayType: false });
    client.types('x').asks('{"take":true}').asks('{"break":true}');
    expect([guest.typed, guest.line.typist, client.breaks]).toEqual(['', null, []]);
    expect(client.said.slice(1)).toEqual(Array(3).fill({ refused: 'This connection only looks.' }));
  });

  it('sends a break, unless somebody else types', () => {
    const guest = new Guest();
    const ann = new Client(guest);
    const bob = new Client(guest, { name: 'bob' });
    ann.types('a').asks('{"break":true}');
    bob.asks('{"break":true}');
    expect([ann.breaks, bob.breaks]).toEqual([['break'], []]);
  });

  it('is asked to come back when the line ends, and closed once', () => {
    const guest = new Guest();
    const client = new Client(guest);
    guest.line.ended();
    client.asks('nonsense');
    expect([client.code, client.closings.length, guest.line.readers]).toEqual([1012, 1, 0]);
  });

  it.each(['', '{', '[]', '{"take":false}', '{"break":true,"take":true}', `{"take":true${' '.repeat(100)}}`])(
    'is closed for the text %j',
    (text) => expect(new Client(new Guest()).asks(text).code).toBe(1008),
  );
});
