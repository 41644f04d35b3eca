import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { headerList } from './header-lines.js';
import { keepAliveMs, writeInOnePiece } from './one-piece-answer.js';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, handle);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Sends these bytes, and reads until `enough`, or to the end of the connection. */
async function exchange(port: number, sent: string, enough: (text: string) => boolean = () => false): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(sent, 'latin1');
  let text = '';
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1');
    if (enough(text)) break;
  }
  socket.destroy();
  return text;
}

const get = (path: string, more = '', version = '1.1') =>
  `GET ${path} HTTP/${version}\r\nHost: localhost\r\n${more}\r\n`;
const headers = (length: number) => `Content-Type: application/json\r\nContent-Length: ${length}\r\n`;

function answer(response: ServerResponse, value: Buffer | string, status = 200): boolean {
  return writeInOnePiece(response, status, headers(Buffer.byteLength(value)), value);
}

function usualAnswer(response: ServerResponse, value: Buffer): void {
  response.writeHead(200, headerList(headers(value.length)));
  response.end(value);
}

describe('writeInOnePiece', () => {
  it('writes what Node writes', async () => {
    const value = Buffer.from('{"name": "grün €"}');
    const port = await serve((request, response) => {
      if (request.url === '/piece') expect(answer(response, value)).toBe(true);
      else usualAnswer(response, value);
    });
    const whole = (text: string) => text.endsWith(value.toString('latin1'));
    const piece = await exchange(port, get('/piece'), whole);
    const usual = await exchange(port, get('/usual'), whole);
    const undated = (text: string) => text.replace(/Date: [^\r]+ GMT/, 'Date: now');
    expect(undated(piece)).toBe(undated(usual));
    expect(Date.parse(/Date: ([^\r]+)/.exec(piece)?.[1] ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });

  it('takes text as UTF-8 and tells other statuses', async () => {
    const port = await serve((_request, response) => void answer(response, '"€"', 202));
    const text = await exchange(port, get('/'), (all) => all.endsWith('"'));
    expect(text).toMatch(/^HTTP\/1\.1 202 Accepted\r\n/);
    expect(Buffer.from(text, 'latin1').toString('utf8')).toMatch(/\r\n\r\n"€"$/);
  });

  it('serves one request after the other of a connection, and tells who waits for the end of an answer', async () => {
    let finished = 0;
    let closed = 0;
    const port = await serve((request, response) => {
      response.once('finish', () => finished++).once('close', () => closed++);
      request.resume();
      answer(response, JSON.stringify(request.url));
    });
    const post = 'POST /c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc';
    const text = await exchange(port, get('/a') + get('/b') + post + get('/d'), (all) => all.endsWith('"/d"'));
    expect(text.match(/"\/.?"/g)).toEqual(['"/a"', '"/b"', '"/c"', '"/d"']);
    expect([finished, closed]).toEqual([4, 4]);
  });

  it('leaves an answer alone whose turn it is not', async () => {
    const taken: (boolean | undefined)[] = [];
    let first: ServerResponse | undefined;
    const port = await serve((request, response) => {
      if (request.url === '/first') {
        first = response;
        return;
      }
      taken.push(answer(response, '"second"'));
      usualAnswer(response, Buffer.from('"second"'));
      if (first !== undefined) taken.push(answer(first, '"first"'));
    });
    const text = await exchange(port, get('/first') + get('/second'), (all) => all.endsWith('"second"'));
    expect(taken).toEqual([false, true]);
    expect(text.match(/"(?:first|second)"/g)).toEqual(['"first"', '"second"']);
  });

  it.each([
    ['the connection ends with it', get('/', 'Connection: close\r\n')],
    ['the client speaks HTTP/1.0', get('/', '', '1.0')],
    ['there is to be no body', get('/', 'Connection: close\r\n').replace('GET', 'HEAD')],
  ])('leaves an answer alone when %s', async (_when, request) => {
    let taken: boolean | undefined;
    const port = await serve((_request, response) => {
      taken = answer(response, '{}');
      usualAnswer(response, Buffer.from('{}'));
    });
    const text = await exchange(port, request);
    expect(taken).toBe(false);
    expect(text).toContain('Connection: close\r\n');
  });

  it('leaves large values alone, and what comes while the kernel takes no more', async () => {
    const taken: boolean[] = [];
    const large = Buffer.alloc(64 * 2 ** 20, 0x20);
    const port = await serve((_request, response) => {
      taken.push(answer(response, large));
      response.socket?.write(large);
      taken.push(answer(response, '{}'));
    });
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(get('/'));
    await once(socket, 'readable');
    expect(taken).toEqual([false, false]);
    socket.destroy();
  });
});
