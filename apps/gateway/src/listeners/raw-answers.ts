import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
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
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${head.join('')}\r\n${body}`, () =>
    leaveSoon(socket),
  );
}

/** For a connection that has had its last answer: its peer leaves, or is cut off. */
export function leaveSoon(socket: Duplex): void {
  const late = setTimeout(() => socket.destroy(), farewellMs).unref();
  socket.once('close', () => clearTimeout(late));
}

/** Connections whose parser has failed: Node tells of each further chunk. */
const failed = new WeakSet<Duplex>();

/** What Node's parser refuses is answered as a problem too, when the requests before it on its connection have their answers. */
export function answerParserError(
  turns: Pick<Listener, 'inTurn' | 'unfinished'>,
  error: NodeJS.ErrnoException,
  socket: Socket,
): void {
  if (failed.has(socket) && error.code !== 'ECONNRESET') return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUnhurried(socket)) return;
  failed.add(socket);
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers-too-large', 'The head of the request is over 16 KiB.')
      : new Problem(
          'invalid-request',
          error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'The request did not arrive in time.' : 'This is not HTTP/1.1.',
        );
  const broken = turns.unfinished(socket);
  // Nothing that comes now is of use.
  socket.pause();
  turns.inTurn(socket, broken, () => {
    socket.resume();
    // A request whose body is broken may have been refused before.
    if (broken?.headersSent === true) socket.end(() => leaveSoon(socket));
    else writeRawProblem(socket, problem, undefined);
  });
}
