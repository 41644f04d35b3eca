import { STATUS_CODES, type ServerResponse } from 'node:http';

/** How long a connection may be idle between two requests. */
export const keepAliveMs = 65_000;

/** Past this length putting head and value into one text costs more than a second system call. */
const onePieceLength = 16 * 1024;
const crlf = '\r\n';
const okLine = `HTTP/1.1 200 ${STATUS_CODES[200] ?? ''}${crlf}`;
/** As Node tells it. */
const stayingOpen = `Connection: keep-alive${crlf}Keep-Alive: timeout=${keepAliveMs / 1000}${crlf}`;

/**
 * Writes a whole answer by one system call, past `ServerResponse`: its way, made for answers of any kind (checks of each
 * header, corks, a tick more), costs as much as all checks of a command together. Done only where nothing is left to
 * decide: it is this answer's turn on its connection, which stays open afterwards, and the kernel takes the bytes.
 * @param lines its headers, each with its end of line, known to be fit for a header
 * @returns false when nothing was done: the answer has to go the usual way
 */
export function writeInOnePiece(
  response: ServerResponse,
  status: number,
  lines: string,
  value: Buffer | string,
): boolean {
  const { socket, req } = response;
  // No socket: answers to earlier requests of the connection are still to come.
  if (socket === null || socket.writableLength > 0 || !socket.writable) return false;
  if (value.length > onePieceLength || !response.shouldKeepAlive || req.method === 'HEAD') return false;
  const statusLine = status === 200 ? okLine : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}${crlf}`;
  // Latin-1 keeps bytes as they are, whatever they mean.
  const body = (typeof value === 'string' ? Buffer.from(value) : value).toString('latin1');
  socket.write(statusLine + lines + endOfHead() + body, 'latin1');
  // What Node waits for before it reads the connection's next request, and closes this exchange.
  response.emit('finish');
  return true;
}

let dateSecond = 0;
let dateEnd = '';

/** What ends each head: the date (RFC 9110 section 5.6.7) and what becomes of the connection. Made once a second. */
function endOfHead(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateEnd = `Date: ${new Date(second * 1000).toUTCString()}${crlf}${stayingOpen}${crlf}`;
  }
  return dateEnd;
}
