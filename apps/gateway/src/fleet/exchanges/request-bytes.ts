import type { IncomingMessage } from 'node:http';
import type { AuthenticatedContext } from '../../access/authenticated-request.js';

/** What concerns the client's own connection, or is for the eyes of the node that it is connected with. */
const ownHeaders: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'expect'],
  ...['content-length', 'transfer-encoding', 'authorization', 'cookie', 'origin', 'referer', 'x-request-id'],
  ...['upgrade', 'http2-settings', 'forwarded', 'via', 'access-control-request-method'],
]);
const ownPrefixes = ['sec-fetch-', 'sec-ch-', 'x-forwarded-'];
/** A token that a browser sends as a sub-protocol. */
const bearerProtocol = /^bearer\./;

/** How the body is framed: as so many bytes, in chunks, or not there. */
export type BodyFraming = number | 'chunked' | undefined;

/** The head of a request as its owner gets it: what was asked, without what concerned only the connection it came by. */
export function requestHeadBytes(
  request: IncomingMessage,
  context: AuthenticatedContext,
  query: string,
  body: BodyFraming,
): Buffer {
  const { method = 'GET', rawHeaders } = request;
  const target = query === '' ? context.path : `${context.path}?${query}`;
  let text = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${context.requestId}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    const lower = name.toLowerCase();
    if (ownHeaders.has(lower) || ownPrefixes.some((prefix) => lower.startsWith(prefix))) continue;
    const kept = lower === 'sec-websocket-protocol' ? withoutTokens(value) : value;
    if (kept !== '') text += `${name}: ${kept}\r\n`;
  }
  if (body === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
  else if (body !== undefined) text += `Content-Length: ${body}\r\n`;
  text += isWebSocketUpgrade(request) ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : 'Connection: close\r\n';
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** One chunk of a body in chunks; an empty one ends it. */
export function chunkBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1'),
    bytes,
    Buffer.from('\r\n', 'latin1'),
  ]);
}

export function isWebSocketUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function withoutTokens(protocols: string): string {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !bearerProtocol.test(protocol))
    .join(', ');
}
