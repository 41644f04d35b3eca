import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Clock } from './clock.js';
import type { Endpoint } from './endpoint.js';
import type { FaultCode } from './fault.js';
import { holdFile, linkedPath, type HeldFile } from './unix-sockets/link-free-path.js';

/** What we show and require on TLS endpoints; PEM. */
export interface TlsOptions {
  /** Whom to trust; without it the system's authorities (for `listen:tls` it is required). */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name the server's certificate must carry; the endpoint's host by default. */
  readonly serverName?: string;
}

/** Idle time after which TCP asks whether the peer is still there; a dead one is known about ten seconds later. */
export const keepAliveMs = 10_000;

export interface DialOptions {
  readonly clock: Clock;
  /** For the connection, TLS handshake included. */
  readonly timeoutMs: number;
  readonly tls: TlsOptions | undefined;
  /** Of a unix socket: the directory below which no name may be a link; without it links are followed. */
  readonly anchor: string | undefined;
  connected(socket: Socket): void;
  failed(code: FaultCode, detail: string): void;
}

export type DialledEndpoint = Extract<Endpoint, { kind: 'unix' | 'tcp' | 'tls' }>;

/** Dials once. Exactly one of `connected` and `failed` is called, later. @returns a function that gives it up instead. */
export function dial(endpoint: DialledEndpoint, options: DialOptions): () => void {
  if (endpoint.kind !== 'unix' || options.anchor === undefined) return dialAt(endpoint, options);
  let held: HeldFile;
  try {
    held = holdSocket(endpoint.path, options.anchor);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const later = setImmediate(() => options.failed(faultCodeOf({ code }, false), message));
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

/** @throws Error with the code of a dial that fails for the same reason */
function holdSocket(path: string, anchor: string): HeldFile {
  const held = holdFile(path, anchor);
  if (held.status.isSocket()) return held;
  held.release();
  throw Object.assign(new Error(`${path} is no socket`), { code: 'ECONNREFUSED' });
}

/** @param options `settled` is called when it is connected, has failed or was given up */
function dialAt(endpoint: DialledEndpoint, options: DialOptions & { settled?(): void }): () => void {
  const socket = open(endpoint, options.tls);
  const tls = endpoint.kind === 'tls';
  const done = (): void => {
    deadline.cancel();
    options.settled?.();
    socket.off('error', errored).off('close', closed);
    // What comes between here and the next owner's listeners must not end the process.
    socket.on('error', () => undefined);
  };
  const fail = (code: FaultCode, detail: string): void => {
    done();
    socket.destroy();
    options.failed(code, detail);
  };
  const errored = (error: NodeJS.ErrnoException): void => fail(faultCodeOf(error, tls), error.message);
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
    // Connected, maybe, and not told so yet: then it is reset, in the time it had to connect.
    const end = socket.connecting ? options.clock.schedule(options.timeoutMs, () => socket.destroy()) : undefined;
    socket.once('close', () => end?.cancel());
    leave(socket, endpoint);
  };
}

/** Leaves a server that has said nothing: over tcp by reset, since there is one (StratoVirt) that an end can kill. */
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
    keepAliveInitialDelay: keepAliveMs,
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

/** What a failed dial means; `tls`: it may have failed in the TLS handshake. */
export function faultCodeOf({ code }: { readonly code?: string | undefined }, tls: boolean): FaultCode {
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
