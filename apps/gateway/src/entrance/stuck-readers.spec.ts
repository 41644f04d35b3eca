import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { makeCertificates, ManualClock } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Listener } from './listener.js';

/** More than the buffers of two kernels on the loopback hold. */
const size = 80 * 2 ** 20;
const value = Buffer.alloc(size, 'x');
const minute = 60_000;

const { ca, server: certificate } = makeCertificates();
const clock = new ManualClock();
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function open(secure: boolean, handle: RequestListener): Promise<{ client: Socket; socket: Socket }> {
  const server = secure ? createTlsServer(certificate, handle) : createServer(handle);
  const listener = new Listener(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    server,
    secure ? ['localhost'] : undefined,
    clock,
  );
  await listener.listen();
  const { port = 0 } = listener.door;
  const accepted = once(server, secure ? 'secureConnection' : 'connection');
  const client = secure ? connectTls({ port, host: 'localhost', ca: ca.cert }) : connect(port, '127.0.0.1');
  client.on('error', () => undefined).pause();
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [socket] = (await accepted) as [Socket];
  ends.push(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return { client, socket };
}

/** Until the event loop has heard of all that is there by now. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

/** Reads so many bytes and stops. @returns how many it was in the end */
async function take(client: Socket, bytes: number): Promise<number> {
  let left = bytes;
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left <= 0) client.pause();
  };
  client.on('data', count).resume();
  await until(() => left <= 0 || client.destroyed);
  client.off('data', count);
  return bytes - left;
}

describe.each([
  { over: 'TCP', secure: false },
  { over: 'TLS', secure: true },
])('a reader over $over', ({ secure }) => {
  it('that takes nothing for a minute is let go, though it goes on sending', async () => {
    let left: Promise<unknown> | undefined;
    const { client, socket } = await open(secure, (_request, response) => {
      left = once(response, 'close');
      response.end(value);
    });
    await until(() => socket.writableLength > 0);
    clock.advance(minute);
    const before = socket.bytesRead;
    client.write('GET /');
    await until(() => socket.bytesRead > before);
    expect(socket.destroyed).toBe(false);
    clock.advance(minute);
    expect(socket.destroyed).toBe(true);
    await left;
  });

  it('that takes some of one long answer each minute gets all of it, and the next', async () => {
    const { client, socket } = await open(secure, (_request, response) => response.end(value));
    let taken = 0;
    for (let round = 0; round < 4; round++) {
      taken += await take(client, size / 5);
      await until(() => socket.writableLength > 0);
      clock.advance(minute - 5000);
      expect(socket.destroyed).toBe(false);
    }
    await take(client, size - taken);
    await until(() => socket.writableLength === 0);
    clock.advance(10 * minute);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await take(client, size);
    expect(client.destroyed).toBe(false);
  });

  it('that has nothing to take yet waits as long as its command', async () => {
    let answer: (() => void) | undefined;
    const { client, socket } = await open(secure, (_request, response) => {
      response.write('{"line": 1}\n');
      answer = () => response.end('{"line": 2}\n');
    });
    await until(() => answer !== undefined && socket.writableLength === 0);
    clock.advance(10 * minute);
    answer?.();
    await take(client, 100);
    expect(client.destroyed).toBe(false);
  });
});
