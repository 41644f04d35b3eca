import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import { Listener } from './listener.js';
import { answerParserError } from './raw-answers.js';

afterEach(() => {
  vi.useRealTimers();
});

it('cuts off a peer that goes on sending after it was told that this is no HTTP', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const alone = { unfinished: () => undefined, inTurn: (_socket: Socket, _own: unknown, step: () => void) => step() };
  const server = createServer()
    .on('clientError', (error, parsed: Socket) => answerParserError(alone, error, parsed))
    .listen(0, '127.0.0.1');
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

it.each([
  ['GRAB / HTTP/1.1', [], 'HTTP method'],
  ['\x16\x03\x01\x02', [], 'HTTP method'],
  ['GET / FTP/1.1', [], 'request line'],
  ['GET / HTTP/3.7', [], 'version of HTTP'],
  ['GET / HTTP/1.1', ['Content-Length: 1', 'Content-Length: 2'], 'Content-Length is given more than once'],
  ['POST / HTTP/1.1', ['Content-Length: 1', 'Transfer-Encoding: chunked'], 'beside'],
  ['POST / HTTP/1.1', ['Content-Length: many'], 'Content-Length is no number'],
  ['POST / HTTP/1.1', ['Transfer-Encoding: gzip'], 'Transfer-Encoding'],
  ['POST / HTTP/1.1', ['Transfer-Encoding: chunked', '', 'zz'], 'size of a chunk'],
  ['GET / HTTP/1.1', ['a b: c'], 'A header'],
  ['PRI * HTTP/2.0', ['', 'SM', ''], 'HTTP'],
])('says what is wrong with %j %j', async (line, fields, what) => {
  const alone = { unfinished: () => undefined, inTurn: (_socket: Socket, _own: unknown, step: () => void) => step() };
  const server = createServer()
    .on('clientError', (error, parsed: Socket) => answerParserError(alone, error, parsed))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = connect((server.address() as AddressInfo).port);
  peer.write([line, 'Host: localhost', ...fields, '', ''].join('\r\n'));
  const told = await text(peer);
  server.close();
  expect(told).toMatch(/^HTTP\/1.1 400 /);
  expect((JSON.parse(told.slice(told.indexOf('{'))) as { detail: string }).detail).toContain(what);
});

it('tells a head that does not arrive in time so after the answers before', async () => {
  const server = createServer({ headersTimeout: 50, requestTimeout: 60, connectionsCheckingInterval: 10 });
  const listener = new Listener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, server);
  const late = new Promise<NodeJS.ErrnoException>((resolve) =>
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      answerParserError(listener, error, socket);
      resolve(error);
    }),
  );
  const first = new Promise<ServerResponse>((resolve) =>
    server.on('request', (_request, response) => resolve(response)),
  );
  await listener.listen();
  const peer = connect(listener.door.port ?? 0, '127.0.0.1');
  const told = text(peer);
  peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /half HTTP/1.1\r\n');
  const response = await first;
  expect((await late).code).toBe('ERR_HTTP_REQUEST_TIMEOUT');
  response.end('first');
  expect((await told).split(/(?=HTTP\/1\.1 \d)/)).toEqual([
    expect.stringMatching(/^HTTP\/1\.1 200 [^]*first/),
    expect.stringMatching(/^HTTP\/1\.1 400 [^]*"The request did not arrive in time\."/),
  ]);
  await listener.close();
});
