import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { answerParserError } from './raw-answers.js';

afterEach(() => {
  vi.useRealTimers();
});

it('cuts off a peer that goes on sending after it was told that this is no HTTP', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const server = createServer().on('clientError', answerParserError).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const peer = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  peer.on('error', () => undefined);
  const [socket] = (await accepted) as [Socket];
  peer.write('no HTTP\r\n\r\n');
  let told = '';
  for await (const chunk of peer.iterator({ destroyOnReturn: false })) told += String(chunk);
  expect(told).toMatch(/^HTTP\/1.1 400 .*"code":"invalid-request"/s);
  await vi.advanceTimersByTimeAsync(4999);
  peer.write('more');
  expect(socket.destroyed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(socket.destroyed).toBe(true);
  peer.destroy();
  server.close();
  await once(server, 'close');
  expect(vi.getTimerCount()).toBe(0);
});
