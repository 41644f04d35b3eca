import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Listener } from './listener.js';
import { leaveSoon } from './raw-answers.js';

/** Until Node 24 the body of an upgrade request is left to whoever takes the upgrade; later releases read it as any other. */
const bodyIsRead = Number(process.versions.node.split('.', 1)[0]) > 24;
const nothing = Buffer.alloc(0);

/**
 * An upgrade we do not offer (`h2c` of Java's HttpClient and curl --http2) is ignored, as RFC 9110 section 7.8 has it:
 * the request is played once more to the server without its upgrade headers. Node took it out of its parser already, and
 * with it all that came behind.
 *
 * Node can ignore upgrades too (`shouldUpgradeCallback`), but loses what came behind in the same packet.
 */
export function serveWithoutUpgrade(listener: Listener, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  const { socket } = request;
  if (stream !== socket) {
    serveOnce(listener, request);
    return;
  }
  // What Node has left behind, and adds again.
  for (const event of ['resume', 'pause']) socket.removeAllListeners(event);
  // Its limit for idle connections, counted from the answer before this one.
  socket.setTimeout(0);
  socket.unshift(Buffer.concat([...withoutUpgrade(request), head]));
  listener.server.emit(listener.door.secure ? 'secureConnection' : 'connection', socket);
}

/** The request as bytes, with its body where that was read. */
function withoutUpgrade(request: IncomingMessage): Buffer[] {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = request;
  const body = bodyIsRead ? readPart(request) : undefined;
  const dropped = /^(?:upgrade|http2-settings)$/i;
  const framing = /^(?:content-length|transfer-encoding)$/i;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    if (dropped.test(name) || (body !== undefined && framing.test(name))) continue;
    text += `${name}: ${/^connection$/i.test(name) ? remainingOptions(value) : value}\r\n`;
  }
  if (body !== undefined && body.length > 0) text += `Content-Length: ${body.length}\r\n`;
  return [Buffer.from(`${text}\r\n`, 'latin1'), body ?? nothing];
}

/** What has been read of a body: newer releases of Node give one chunk at a time. */
function readPart(request: IncomingMessage): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk; (chunk = request.read() as Buffer | null) !== null;) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a `Connection` header says beside the upgrade, such as `close`. */
function remainingOptions(options: string): string {
  const rest = options.split(',').filter((option) => !/^\s*(?:upgrade|http2-settings)\s*$/i.test(option));
  return rest.join(',').trim();
}

/**
 * A body that is still being read: the parser is done with the connection afterwards, so the request has its answer, and
 * is the last one.
 */
function serveOnce({ server }: Listener, request: IncomingMessage): void {
  const { socket } = request;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.end(() => leaveSoon(socket)));
  server.emit('request', request, response);
}
