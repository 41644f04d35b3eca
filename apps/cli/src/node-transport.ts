import { readFileSync } from 'node:fs';
import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Fetch } from '@qmp-gateway/client';
import { usageFault } from './exit-status.js';
import type { GatewayAddress } from './gateway-address.js';
import { NotConnected } from './not-connected.js';

/** Files of TLS, as paths. */
export interface TlsFiles {
  /** Authorities to trust instead of the usual ones. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What Node's `https` and the package `ws` take. */
export interface ClientTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Lines about the HTTP traffic; never with a credential in them. */
export type HttpTrace = (line: string) => void;

/** Reads the named files. @throws CliFault for one that cannot be read */
export function readTlsFiles(files: TlsFiles): ClientTls {
  const entries = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, file]) => [name, readNamed(name, file)]));
}

function readNamed(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usageFault(`--${name} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/**
 * `fetch` over Node's own HTTP, which also speaks over unix sockets and trusts private authorities. Each request has a
 * connection of its own: on one that was used before, a loss would leave open whether the request was read.
 */
export function nodeFetch(address: GatewayAddress, tls: ClientTls, trace: HttpTrace | undefined): Fetch {
  return async (url, init) => {
    const { request: secureRequest } = url.startsWith('https:')
      ? await import('node:https')
      : { request: plainRequest };
    const headers = init.headers as Record<string, string>;
    traceRequest(trace, `${init.method ?? 'GET'} ${url}`, headers);
    return new Promise((resolve, reject) => {
      const sent = secureRequest(url, {
        ...tls,
        agent: false,
        method: init.method ?? 'GET',
        headers,
        ...(address.socketPath === undefined ? {} : { socketPath: address.socketPath }),
        ...(init.signal === null || init.signal === undefined ? {} : { signal: init.signal }),
      });
      const isConnected = watchConnection(sent, url.startsWith('https:') ? 'secureConnect' : 'connect');
      sent.on('error', (error: NodeJS.ErrnoException) =>
        reject(
          isConnected() || error.name === 'AbortError' ? error : new NotConnected(whyNot(error), { cause: error }),
        ),
      );
      sent.on('response', (response) => {
        trace?.(`< ${response.statusCode ?? 0} ${response.headers['content-type'] ?? ''}`);
        resolve(asResponse(response));
      });
      sent.end(init.body as string | Uint8Array | undefined);
    });
  };
}

function watchConnection(sent: ClientRequest, event: string): () => boolean {
  let isConnected = false;
  sent.on('socket', (socket) => socket.once(event, () => (isConnected = true)));
  return () => isConnected;
}

const bodyless: ReadonlySet<number> = new Set([204, 205, 304]);

function asResponse(incoming: IncomingMessage): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (let at = 0; at < incoming.rawHeaders.length; at += 2)
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '');
  if (bodyless.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  // Node's type of a web stream differs from the browser's in name only.
  return new Response(Readable.toWeb(incoming) as unknown as ReadableStream<Uint8Array>, { status, headers });
}

function traceRequest(trace: HttpTrace | undefined, line: string, headers: Record<string, string>): void {
  if (trace === undefined) return;
  trace(`> ${line}`);
  for (const [name, value] of Object.entries(headers))
    trace(`> ${name}: ${name.toLowerCase() === 'authorization' ? 'Bearer ***' : value}`);
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  EACCES: 'no permission for the socket',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be resolved now',
  ECONNRESET: 'the connection was closed before an answer',
  EPROTO: 'the other end does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the other end does not speak TLS',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};
const unknownAuthority =
  /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED)/;

/** Why there is no connection, for people. */
export function whyNot({ code = '', message }: NodeJS.ErrnoException): string {
  if (unknownAuthority.test(code))
    return 'its certificate is of an unknown authority (name that authority with --ca FILE)';
  return reasons[code] ?? message;
}
