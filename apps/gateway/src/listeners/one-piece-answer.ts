import { STATUS_CODES, type ServerResponse } from 'node:http';

/** How long a connection may be idle between two requests. */
export const keepAliveMs = 65_000;

/** Past this size putting head and value into one text costs more than a second system call. */
const onePieceBytes = 16 * 1024;
const crlf = '\r\n';
/** As Node tells it. */
const stayingOpen = `Connection: keep-alive${crlf}Keep-Alive: timeout=${keepAliveMs / 1000}${crlf}`;

/**
 * Writes a whole answer by one system call, past `ServerResponse`: its way, made for answers of any kind (checks of each
 * header, corks, a tick more), costs as much as all checks of a command together. Done only where nothing is left to
 * decide: it is this answer's turn on its connection, which stays open afterwards, and the kernel takes the bytes.
 * @param headers names and values in turns, known to be fit for a header
 * @param length of the value in bytes
 * @returns false when nothing was done: the answer has to go the usual way
 */
export function writeInOnePiece(
  response: ServerResponse,
  status: number,
  headers: readonly string[],
  value: Buffer | string,
  length: number,
): boolean {
  const { socket, req } = response;
  // No socket: answers to earlier requests of the connection are still to come.
  if (socket === null || socket.writableLength > 0 || !socket.writable) return false;
  if (length > onePieceBytes || !response.shouldKeepAlive || req.method === 'HEAD') return false;
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}${crlf}`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i] ?? ''}: ${headers[i + 1] ?? ''}${crlf}`;
  text += `Date: ${httpDate()}${crlf}${stayingOpen}${crlf}`;
  // Latin-1 keeps bytes as they are, whatever they mean.
  text += (typeof value === 'string' ? Buffer.from(value) : value).toString('latin1');
  socket.write(text, 'latin1');
  // What Node waits for before it reads the connection's next request, and closes this exchange.
  response.emit('finish');
  return true;
}

let dateSecond = 0;
let dateText = '';

/** RFC 9110 section 5.6.7, made once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
