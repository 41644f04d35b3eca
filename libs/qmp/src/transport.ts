import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Clock } from './clock.js';
import type { Endpoint } from './endpoint.js';
import type { LastErrorCode } from './last-error.js';
import { holdFile, linkedPath, type HeldFile } from './unix-sockets/link-free-path.js';

/** Certificates to present and to require on TLS endpoints; PEM. */
export interface TlsOptions {
  /** Trusted authorities; without it the system's (required for `listen:tls`). */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the server's certificate must have; by default the endpoint's host. */
  readonly serverName?: string;
}

/** Idle time after which TCP probes the peer; a dead one is detected about ten seconds later. */
export const connectionProbeMs = 10_000;

export interface DialOptions {
  readonly clock: Clock;
  /** Time limit for the connection, TLS handshake included. */
  readonly timeoutMs: number;
  readonly tls: TlsOptions | undefined;
  /** For a unix socket: the directory below which no name may be a link; without it links are followed. */
  readonly anchor: string | undefined;
  connected(socket: Socket): void;
  failed(code: LastErrorCode, detail: string): void;
}

export type DialledEndpoint = Extract<Endpoint, { kind: 'unix' | 'tcp' | 'tls' }>;

/**
 * Dials once. Exactly one of `connected` and `failed` is called, later. @returns a function that cancels the dial
 * instead.
 */
export function dial(endpoint: DialledEndpoint, options: DialOptions): () => void {
  if (endpoint.kind !== 'unix' || options.anchor === undefined) return dialAt(endpoint, options);
  let held: HeldFile;
  try {
    held = holdSocket(endpoint.path, options.anchor);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const later = setImmediate(() => options.failed(lastErrorCodeOf({ code }, false), message));
    return () => clearImmediate(later);
  }
  const { path } = endpoint;
  return dialAt(
    { kind: 'unix', path: held.path },
    {
      ...options,
      settled: () => held.release(),
      failed: (code, detail) => options.failed(code, detail.replaceAll(held.path, path)),
    },
  );
}

/** @throws Error with the code that a failed dial would have for the same reason */
function holdSocket(path: string, anchor: string): HeldFile {
  const held = holdFile(path, anchor);
  if (held.status.isSocket()) return held;
  held.release();
  throw Object.assign(new Error(`${path} is not a socket`), { code: 'ECONNREFUSED' });
}

/** @param options `settled` is called when the dial is connected, has failed or was cancelled */
function dialAt(endpoint: DialledEndpoint, options: DialOptions & { settled?(): void }): () => void {
  const socket = open(endpoint, options.tls);
  const tls = endpoint.kind === 'tls';
  const done = (): void => {
    deadline.cancel();
    options.settled?.();
    socket.off('error', errored).off('close', closed);
    // An error before the next owner attaches its listeners must not end the process.
    socket.on('error', () => undefined);
  };
  const fail = (code: LastErrorCode, detail: string): void => {
    done();
    socket.destroy();
    options.failed(code, detail);
  };
  const errored = (error: NodeJS.ErrnoException): void => fail(lastErrorCodeOf(error, tls), error.message);
  const closed = (): void => fail(tls ? 'tls-failed' : 'connect-failed', 'closed while connecting');
  const deadline = options.clock.schedule(options.timeoutMs, () => {
    fail('connect-timeout', `no connection within ${options.timeoutMs} ms`);
  });
  let givenUp = false;
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    if (givenUp) return;
    done();
    options.connected(socket);
  });
  socket.on('error', errored).on('close', closed);
  return () => {
    givenUp = true;
    done();
    // Possibly connected, but not reported yet: the end is a reset, within the time for connecting.
    const end = socket.connecting ? options.clock.schedule(options.timeoutMs, () => socket.destroy()) : undefined;
    socket.once('close', () => end?.cancel());
    leave(socket, endpoint);
  };
}

/** Leaves a server that has sent nothing: over tcp by reset, because an end can kill StratoVirt. */
export function leave(socket: Socket, { kind }: Endpoint): void {
  if (kind === 'tcp' && !socket.destroyed) socket.resetAndDestroy();
  else socket.destroy();
}

function open(endpoint: DialledEndpoint, tls: TlsOptions | undefined): Socket {
  if (endpoint.kind === 'unix') return connectPlain({ path: endpoint.path, allowHalfOpen: true });
  const { host, port } = endpoint;
  const address = {
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: connectionProbeMs,
  };
  if (endpoint.kind === 'tcp') return connectPlain(address);
  const { serverName, ...material } = tls ?? {};
  const options: ConnectionOptions & typeof address = {
    ...address,
    ...material,
    minVersion: 'TLSv1.2',
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  return connectTls(options);
}

/** The cause of a failed dial; `tls`: it may have failed in the TLS handshake. */
export function lastErrorCodeOf({ code }: { readonly code?: string | undefined }, tls: boolean): LastErrorCode {
  switch (code) {
    case 'ENOENT':
      return 'no-such-file';
    case 'ECONNREFUSED':
      return 'refused';
    case 'EACCES':
    case 'EPERM':
      return 'no-permission';
    case linkedPath:
      return 'linked-path';
    case 'EAGAIN':
      return 'backlog-full';
    case 'ETIMEDOUT':
      return 'connect-timeout';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unreachable';
    default:
      return tls ? 'tls-failed' : 'connect-failed';
  }
}
