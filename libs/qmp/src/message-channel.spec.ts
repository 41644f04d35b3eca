import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { expect, it, onTestFinished } from 'vitest';
import { MessageChannel } from './message-channel.js';

const line = Buffer.from(`${'x'.repeat(126)}\r\n`);

/** Both ends of a connection over a unix socket. */
async function connected(): Promise<{ client: Socket; peer: Socket }> {
  const directory = makeTempDir();
  onTestFinished(() => removeTempDir(directory));
  const server = createServer();
  onTestFinished(() => void server.close());
  server.listen(path.join(directory, 's'));
  await once(server, 'listening');
  const client = connect({ path: path.join(directory, 's'), allowHalfOpen: true });
  const [peer] = (await once(server, 'connection')) as [Socket];
  return { client, peer };
}

/** Reads until the end. @returns how many lines each turn of the event loop took */
async function linesPerTurn(client: Socket): Promise<number[]> {
  const turns = [0];
  const count = () => {
    turns.push(0);
    if (!client.destroyed) setImmediate(count);
  };
  setImmediate(count);
  await new Promise<void>((resolve) => {
    const host = {
      line: () => {
        turns[turns.length - 1]!++;
      },
      overlong: () => undefined,
      disconnected: () => resolve(),
    };
    new MessageChannel(client, host, { lineBytes: 1024, gathers: () => true, lastByteApart: false });
  });
  return turns;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

it('takes a flood in slices, so that others have their turn in between', async () => {
  const { client, peer } = await connected();
  const lines = 32 * 1024;
  peer.end(Buffer.concat(Array.from({ length: lines }, () => line)));
  const turns = await linesPerTurn(client);
  expect(sum(turns)).toBe(lines);
  expect(Math.max(...turns)).toBeLessThanOrEqual(200);
});

it('takes the last bytes in slices too, when the end is told together with them', async () => {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const lines = 500;
  socket.push(Buffer.concat(Array.from({ length: lines }, () => line)));
  socket.push(null);
  const turns = await linesPerTurn(socket as Socket);
  expect(sum(turns)).toBe(lines);
  expect(Math.max(...turns)).toBeLessThanOrEqual(200);
});

it('has all that came before a connection broke', async () => {
  const { client, peer } = await connected();
  const lines = 1500;
  // Unread input makes the kernel report a reset after what was sent.
  peer.pause();
  await new Promise((resolve) => client.write('never read', resolve));
  peer.write(Buffer.concat(Array.from({ length: lines }, () => line)), () => peer.destroy());
  await once(peer, 'close');
  expect(sum(await linesPerTurn(client))).toBe(lines);
});
