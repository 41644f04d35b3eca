import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Descriptor, DescriptorChannel, missingReason } from './index.js';

const build = fileURLToPath(new URL('../build.mjs', import.meta.url));
let directory: string;
let server: Server;
const channels: DescriptorChannel[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  execFileSync(process.execPath, [build, '--if-needed'], { stdio: 'pipe' });
  expect(missingReason()).toBeUndefined();
  directory = mkdtempSync(path.join(tmpdir(), 'unix-fds-'));
  server = createServer({ pauseOnConnect: true });
  server.listen(path.join(directory, 'socket'));
  await once(server, 'listening');
});
afterEach(() => {
  for (const channel of channels.splice(0)) channel.close();
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

/** What came of one side. */
class Arrivals {
  text = '';
  bytes = 0;
  readonly descriptors: Descriptor[] = [];
  end: string | null | undefined;

  received(bytes: Buffer, descriptors: Descriptor[]): void {
    this.bytes += bytes.length;
    if (this.text.length < 1000) this.text += bytes.toString('latin1');
    this.descriptors.push(...descriptors);
  }

  ended(code: string | null): void {
    this.end = code;
  }
}

async function pair(): Promise<{ near: Socket; far: Socket; sender: DescriptorChannel; receiver: DescriptorChannel }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect(path.join(directory, 'socket'));
  const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
  for (const socket of [near, far]) socket.on('error', () => undefined);
  const sender = DescriptorChannel.beside(near);
  const receiver = DescriptorChannel.beside(far);
  sockets.push(near, far);
  channels.push(sender, receiver);
  return { near, far, sender, receiver };
}

const send = (channel: DescriptorChannel, bytes: Buffer, descriptors: Descriptor[]) =>
  new Promise<NodeJS.ErrnoException | null>((resolve) => channel.send(bytes, descriptors, resolve));

const openDescriptors = () => readdirSync('/proc/self/fd').length;

function file(text: string): Descriptor {
  const name = path.join(directory, 'file');
  writeFileSync(name, text);
  return new Descriptor(openSync(name, 'r'));
}

function contentOf(descriptor: Descriptor): string {
  const bytes = Buffer.alloc(100);
  return bytes.toString('latin1', 0, readSync(descriptor.number, bytes, 0, 100, 0));
}

describe('descriptors over a unix socket', () => {
  it('arrive with their message, between others that the socket itself writes', async () => {
    const { near, sender, receiver } = await pair();
    const arrivals = new Arrivals();
    receiver.receive(arrivals);
    const descriptor = file('hello');
    near.write('before ');
    expect(await send(sender, Buffer.from('with '), [descriptor, descriptor])).toBeNull();
    descriptor.close();
    near.write('after');
    await expect.poll(() => arrivals.text).toBe('before with after');
    expect(arrivals.descriptors.map(contentOf)).toEqual(['hello', 'hello']);
    const flags = /flags:\s*(\d+)/;
    const close = (number: number) =>
      parseInt(flags.exec(execFileSync('cat', [`/proc/${process.pid}/fdinfo/${number}`]).toString())?.[1] ?? '', 8);
    // Closed on exec: no child of this process inherits what a stranger sent.
    for (const { number } of arrivals.descriptors) expect(close(number) & 0o2000000).not.toBe(0);
    for (const one of arrivals.descriptors) one.close();
  });

  it('may be closed as soon as they are sent, even while the message waits for a full socket', async () => {
    const { sender, receiver } = await pair();
    const arrivals = new Arrivals();
    const length = 8 * 1024 * 1024;
    const descriptor = file('late');
    const sent = send(sender, Buffer.alloc(length, 'x'), [descriptor]);
    descriptor.close();
    expect(() => sender.send(Buffer.from('y'), [], () => undefined)).toThrow(
      expect.objectContaining({ code: 'EALREADY' }),
    );
    receiver.receive(arrivals);
    expect(await sent).toBeNull();
    await expect.poll(() => arrivals.bytes).toBe(length);
    expect(arrivals.descriptors.map(contentOf)).toEqual(['late']);
    arrivals.descriptors[0]?.close();
  });

  it('wait in the kernel while the receiver pauses', async () => {
    const { near, receiver } = await pair();
    const arrivals = new Arrivals();
    receiver.receive(arrivals);
    receiver.pause();
    let taken = false;
    near.write(Buffer.alloc(4 * 1024 * 1024), () => (taken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect([arrivals.bytes, taken]).toEqual([0, false]);
    receiver.resume();
    await expect.poll(() => [arrivals.bytes, taken]).toEqual([4 * 1024 * 1024, true]);
  });

  it('tells the end of the peer, and nothing after its own', async () => {
    const { near, sender, receiver } = await pair();
    const arrivals = new Arrivals();
    receiver.receive(arrivals);
    near.write('last');
    near.end();
    await expect.poll(() => [arrivals.text, arrivals.end]).toEqual(['last', null]);
    expect((await send(sender, Buffer.from('x'), []))?.code).toBe('EPIPE');
    sender.close();
    sender.close();
    expect(() => sender.send(Buffer.from('x'), [], () => undefined)).toThrow(
      expect.objectContaining({ code: 'EPIPE' }),
    );
  });

  it('refuses what is no open descriptor, and keeps nothing open of a message that it refuses', async () => {
    const { sender } = await pair();
    const before = openDescriptors();
    const open = file('x');
    const closed = file('y');
    closed.close();
    closed.close();
    expect(closed.isOpen).toBe(false);
    expect(() => sender.send(Buffer.from('x'), [open, closed], () => undefined)).toThrow('closed');
    const foreign = { number: 99_999 } as Descriptor;
    expect(() => sender.send(Buffer.from('x'), [open, foreign], () => undefined)).toThrow(
      expect.objectContaining({ code: 'EBADF' }),
    );
    expect(() => sender.send(Buffer.alloc(0), [open], () => undefined)).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
    const many = Array.from({ length: 254 }, () => open);
    expect(() => sender.send(Buffer.from('x'), many, () => undefined)).toThrow(
      expect.objectContaining({ code: 'E2BIG' }),
    );
    open.close();
    expect(openDescriptors()).toBe(before);
  });

  it('closes what a waiting message holds, and what nobody wants', async () => {
    const before = openDescriptors();
    const { near, far, sender, receiver } = await pair();
    const descriptor = file('x');
    let called = false;
    sender.send(Buffer.alloc(8 * 1024 * 1024), [descriptor], () => (called = true));
    descriptor.close();
    sender.close();
    receiver.close();
    near.destroy();
    far.destroy();
    await expect.poll(openDescriptors).toBe(before);
    expect(called).toBe(false);
  });

  it('passes ten thousand, and none is open afterwards', async () => {
    const before = openDescriptors();
    const { near, far, sender, receiver } = await pair();
    const arrivals = { count: 0, wrong: 0 };
    receiver.receive({
      received(_, descriptors) {
        for (const descriptor of descriptors) {
          if (fstatSync(descriptor.number).size !== 5) arrivals.wrong++;
          descriptor.close();
          arrivals.count++;
        }
      },
      ended: () => undefined,
    });
    const descriptor = file('hello');
    const each = Array.from({ length: 100 }, () => descriptor);
    for (let round = 0; round < 100; round++) expect(await send(sender, Buffer.from('m'), each)).toBeNull();
    await expect.poll(() => arrivals.count, { timeout: 10_000 }).toBe(10_000);
    expect(arrivals.wrong).toBe(0);
    descriptor.close();
    sender.close();
    receiver.close();
    near.destroy();
    far.destroy();
    await expect.poll(openDescriptors).toBe(before);
  });

  it('is for open sockets only', async () => {
    const { near } = await pair();
    near.destroy();
    await once(near, 'close');
    expect(() => DescriptorChannel.beside(near)).toThrow('not open');
    const plain = openSync(path.join(directory, 'file'), 'r');
    const regular = { _handle: { fd: plain } } as unknown as Socket;
    expect(() => DescriptorChannel.beside(regular)).toThrow(expect.objectContaining({ code: 'EPERM' }));
    closeSync(plain);
  });
});
