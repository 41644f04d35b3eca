import { isIP } from 'node:net';
import path from 'node:path';

/** The address of a monitor, in QEMU's own spelling; the `listen-` kinds wait for a QEMU that dials in. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'listen-unix'; readonly path: string }
  | { readonly kind: 'listen-tls'; readonly host: string; readonly port: number };

/** The text is not an endpoint; the message says what is wrong with it. */
export class EndpointError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EndpointError';
  }
}

/**
 * `sun_path` has 108 bytes including its NUL. Node.js truncates longer paths silently and would reach another VM's
 * socket.
 */
const maxSocketPathBytes = 107;

/**
 * Parses `unix:/path`, `tcp:host:port`, `tls:host:port`, `listen:unix:/path` or `listen:tls:host:port`; IPv6 addresses
 * are in brackets.
 * @throws {EndpointError} if the text is none of these, a path is relative or over 107 bytes, or a port is out of
 * range.
 */
export function parseEndpoint(text: string): Endpoint {
  const listen = text.startsWith('listen:');
  const rest = listen ? text.slice('listen:'.length) : text;
  const colon = rest.indexOf(':');
  const scheme = colon < 0 ? '' : rest.slice(0, colon);
  const address = rest.slice(colon + 1);
  if (scheme === 'unix') return { kind: listen ? 'listen-unix' : 'unix', path: socketPath(address) };
  if (scheme === 'tls') return { kind: listen ? 'listen-tls' : 'tls', ...hostAndPort(address) };
  if (scheme === 'tcp' && !listen) return { kind: 'tcp', ...hostAndPort(address) };
  if (scheme === 'tcp') throw new EndpointError('must not be listen:tcp, where anyone could dial in; use listen:tls');
  throw new EndpointError(
    'must be unix:/path, tcp:host:port, tls:host:port, listen:unix:/path or listen:tls:host:port',
  );
}

/** Whether bytes leave this host unencrypted, so that anyone on the path could read and alter them. */
export function isExposed(endpoint: Endpoint): boolean {
  if (endpoint.kind !== 'tcp') return false;
  const { host } = endpoint;
  return !(host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.')));
}

function socketPath(text: string): string {
  if (!path.posix.isAbsolute(text)) throw new EndpointError('the path of a unix socket must be absolute');
  if (text.includes('\0')) throw new EndpointError('the path of a unix socket must not contain NUL');
  const bytes = Buffer.byteLength(text);
  if (bytes > maxSocketPathBytes) {
    throw new EndpointError(
      `the path of a unix socket takes at most ${maxSocketPathBytes} bytes; this one has ${bytes}`,
    );
  }
  return text;
}

function hostAndPort(text: string): { host: string; port: number } {
  const match = /^(?:\[(?<six>[^\]]*)\]|(?<name>[^:[\]]*)):(?<port>[0-9]{1,5})$/.exec(text);
  if (match?.groups === undefined)
    throw new EndpointError('must have host:port behind its scheme, an IPv6 address in brackets');
  const { six, name } = match.groups;
  const port = Number(match.groups['port']);
  if (port < 1 || port > 65535) throw new EndpointError('must have a port from 1 to 65535');
  if (six !== undefined) {
    if (isIP(six) !== 6) throw new EndpointError('has no IPv6 address in its brackets');
    return { host: six, port };
  }
  if (name === undefined || !/^[A-Za-z0-9._-]+$/.test(name)) throw new EndpointError('must have a host name');
  return { host: name, port };
}
