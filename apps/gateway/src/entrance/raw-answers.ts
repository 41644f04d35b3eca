import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem, problemBody } from '../problems/problem.js';
import { isUnhurried } from '../http/streamed-body.js';

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

/** The order in which the answers of a connection leave. */
export interface AnswerOrder {
  /** The answer of the request that is still coming on a connection, if there is one. */
  unfinished(socket: Socket): ServerResponse | undefined;
  /** Calls back when the answers before this one are written. */
  inTurn(socket: Socket, own: ServerResponse | undefined, step: () => void): void;
}

/** What is wrong with a request, by the code that Node's parser gives it. */
const parserFaults: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
  HPE_INVALID_METHOD: 'The request does not begin with an HTTP method that is known here.',
  HPE_INVALID_URL: 'The target in the request line is no path.',
  HPE_INVALID_CONSTANT: 'The request line does not end with HTTP/1.1.',
  HPE_INVALID_VERSION: 'The request line names a version of HTTP other than 1.0 and 1.1.',
  HPE_PAUSED_H2_UPGRADE: 'This is HTTP/2; the gateway speaks HTTP/1.1.',
  HPE_INVALID_HEADER_TOKEN: 'A header has a character that headers may not have.',
  HPE_INVALID_CONTENT_LENGTH: 'Content-Length is no number of bytes.',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'Content-Length is given more than once, or beside Transfer-Encoding.',
  HPE_INVALID_TRANSFER_ENCODING: 'Transfer-Encoding does not end with chunked, or is given beside Content-Length.',
  HPE_INVALID_CHUNK_SIZE: 'The size of a chunk of the body is no hexadecimal number.',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'The extensions of the chunks of the body are over 16 KiB.',
  HPE_LF_EXPECTED: 'A line of the request does not end with CR and LF.',
  HPE_CR_EXPECTED: 'A line of the request does not end with CR and LF.',
  HPE_STRICT: 'A line of the request does not end with CR and LF.',
  HPE_CLOSED_CONNECTION: 'More came after a request that said Connection: close.',
  HPE_INVALID_EOF_STATE: 'The connection ended in the middle of a request.',
};

/** What Node's parser refuses is answered as a problem too, when the requests before it on its connection have their answers. */
export function answerParserError(order: AnswerOrder, error: NodeJS.ErrnoException, socket: Socket): void {
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
      : new Problem('invalid-request', parserFaults[error.code ?? ''] ?? 'This cannot be read as HTTP/1.1.');
  const broken = order.unfinished(socket);
  // Nothing that comes now is of use.
  socket.pause();
  order.inTurn(socket, broken, () => {
    socket.resume();
    // A request whose body is broken may have been refused before.
    if (broken?.headersSent === true) socket.end(() => leaveSoon(socket));
    else writeRawProblem(socket, problem, undefined);
  });
}
