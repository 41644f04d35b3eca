import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { fullBacklog, makeTempDir, ManualClock, removeTempDir } from '@qmp-gateway/test-kit';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { Listener } from './listener.js';

it('tells every answer of a connection that its reader has left, also those whose turn had not come', async () => {
  const answers: ServerResponse[] = [];
  const closed: number[] = [];
  const server = createServer((_request, response) => {
    const at = answers.push(response) - 1;
    response.on('close', () => closed.push(at));
  });
  const listener = new Listener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, server);
  await listener.listen();
  const reader = connect(listener.door.port ?? 0, '127.0.0.1').resume();
  reader.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5));
  while (answers.length < 5) await new Promise((resolve) => setImmediate(resolve));
  answers[0]?.end('over');
  answers[2]?.end('whole, but not its turn');
  answers[3]?.write('a part');
  while (closed.length < 1) await new Promise((resolve) => setImmediate(resolve));
  reader.destroy();
  while (closed.length < 5) await new Promise((resolve) => setImmediate(resolve));
  expect(answers.map(({ destroyed }) => destroyed)).toEqual([true, true, true, true, true]);
  server.close();
  await once(server, 'close');
  expect(closed.toSorted()).toEqual([0, 1, 2, 3, 4]);
});

it('does not take the unix socket of a server that is too busy to accept', async () => {
  const directory = makeTempDir();
  const path = `${directory}/socket`;
  const busy = await fullBacklog(path);
  try {
    const { ino } = lstatSync(path);
    const listener = new Listener({ kind: 'unix', path }, createServer());
    await expect(listener.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(lstatSync(path).ino).toBe(ino);
  } finally {
    await busy.stop();
    removeTempDir(directory);
  }
});

describe('the end', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  async function listening() {
    const clock = new ManualClock();
    const server = createServer();
    const listener = new Listener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, server, undefined, clock);
    server.on('request', (_request, response) => response.end('told'));
    await listener.listen();
    return { clock, server, listener, port: listener.door.port ?? 0 };
  }

  async function answered(port: number): Promise<string> {
    const client = connect(port, '127.0.0.1');
    client.write(request);
    return await text(client);
  }

  it('lets in who comes meanwhile, until nobody does', async () => {
    const { clock, server, listener, port } = await listening();
    const closed = listener.close();
    for (let count = 0; count < 3; count++) {
      expect(await answered(port)).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n[^]*told/);
      clock.advance(50);
      expect(server.listening).toBe(true);
    }
    clock.advance(50);
    await closed;
    await expect(answered(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is not put off without end by those who come again and again', async () => {
    const { clock, server, listener, port } = await listening();
    const closed = listener.close();
    while (server.listening) {
      await answered(port);
      clock.advance(50);
    }
    await closed;
    expect(clock.now()).toBeLessThanOrEqual(1050);
  });

  it('leaves a new connection the time to ask', async () => {
    const { clock, server, listener, port } = await listening();
    const arrived = async () => {
      const client = connect(port, '127.0.0.1');
      await once(server, 'connection');
      return client;
    };
    const [late, silent] = [await arrived(), await arrived()];
    const closed = listener.close();
    clock.advance(50);
    listener.closeIdle();
    late.write(request);
    expect(await text(late)).toContain('told');
    expect(silent.destroyed).toBe(false);
    clock.advance(1000);
    listener.closeIdle();
    silent.resume();
    await once(silent, 'close');
    await closed;
  });
});
