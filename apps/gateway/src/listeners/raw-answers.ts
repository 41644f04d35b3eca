import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, problemBody } from '../problems/problem.js';
import type { Listener } from './listener.js';
import { isUnhurried } from './streamed-body.js';

/** A peer that has its answer and does not leave within this is cut off. */
const farewellMs = 5000;

/** A refused upgrade is a plain HTTP answer. No more requests are read, and Node has no time limit for who stays. */
export function writeRawProblem(socket: Duplex, problem: Problem, requestId: string | undefined): void {
  const body = JSON.stringify(problemBody(problem));
  const headers = {
    ...problem.headers,
    ...(requestId === undefined ? {} : { 'X-Request-Id': requestId }),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${head.join('')}\r\n${body}`, () => {
    const late = setTimeout(() => socket.destroy(), farewellMs).unref();
    socket.once('close', () => clearTimeout(late));
  });
}

/** What Node's parser refuses is answered as a problem too. */
export function answerParserError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUnhurried(socket)) return;
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers-too-large', 'The head of the request is over 16 KiB.')
      : new Problem(
          'invalid-request',
          error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'The request did not arrive in time.' : 'This is not HTTP/1.1.',
        );
  writeRawProblem(socket, problem, undefined);
}

/**
 * An upgrade we do not offer (`h2c` of Java's HttpClient and curl --http2) is ignored, as RFC 9110 section 7.8 has it:
 * the request is played once more to the server without its upgrade headers. Node took it out of its parser already.
 */
export function serveWithoutUpgrade(listener: Listener, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!/^(?:upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[i + 1] ?? ''}`);
  }
  socket.removeAllListeners();
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  listener.server.emit(listener.door.secure ? 'secureConnection' : 'connection', socket);
}
