import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Endpoint } from './endpoint.js';
import type { FaultCode } from './fault.js';
import { keepAliveMs, type TlsOptions } from './transport.js';

export type ListeningEndpoint = Extract<Endpoint, { kind: 'listen-unix' | 'listen-tls' }>;

export interface PeerListenerHost {
  listening(): void;
  failed(code: FaultCode, detail: string): void;
  /** A peer dialled in and, over TLS, showed a certificate we trust. */
  connected(socket: Socket): void;
  refused(detail: string): void;
}

/**
 * Waits for a QEMU that dials in (`reconnect=`). Whoever can connect is taken for the VM, so a unix socket must be in a
 * directory that only we may enter, and TLS peers must show a client certificate.
 */
export class PeerListener {
  readonly #endpoint: ListeningEndpoint;
  readonly #host: PeerListenerHost;
  readonly #server: Server;
  #closed = false;

  constructor(endpoint: ListeningEndpoint, tls: TlsOptions | undefined, host: PeerListenerHost) {
    this.#endpoint = endpoint;
    this.#host = host;
    if (endpoint.kind === 'listen-unix') {
      this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#connected(socket));
    } else {
      const { ca, cert, key } = tls ?? {};
      const options = {
        ...{ ca, cert, key },
        ...{ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' as const },
        ...{ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
      };
      const server = createTlsServer(options, (socket) => this.#connected(socket));
      server.on('tlsClientError', (error: Error) => this.#host.refused(error.message));
      this.#server = server;
    }
  }

  /** Listens; ends in `listening` or `failed`, later. */
  start(): void {
    this.#open().then(
      () => {
        if (!this.#closed) this.#host.listening();
      },
      (error: unknown) => {
        if (this.#closed) return;
        const { code, message } = error as NodeJS.ErrnoException;
        this.#host.failed(code === insecure ? 'insecure-directory' : 'listen-failed', message);
      },
    );
  }

  close(): void {
    this.#closed = true;
    this.#server.close();
  }

  async #open(): Promise<void> {
    if (this.#endpoint.kind === 'listen-tls') {
      await listen(this.#server, { host: this.#endpoint.host, port: this.#endpoint.port });
      return;
    }
    const socketPath = this.#endpoint.path;
    await requirePrivate(path.dirname(socketPath));
    if (await isAbandoned(socketPath)) await unlink(socketPath);
    await listen(this.#server, { path: socketPath });
  }

  #connected(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#closed) socket.destroy();
    else this.#host.connected(socket);
  }
}

const insecure = 'INSECURE_DIRECTORY';

/** Only we may enter the directory: everyone who can reach the socket is taken for the VM. */
async function requirePrivate(directory: string): Promise<void> {
  const { mode, uid } = await lstat(directory);
  if (uid === process.getuid?.() && (mode & 0o077) === 0) return;
  throw Object.assign(new Error(`${directory} must belong to this user and have mode 0700`), { code: insecure });
}

/** A socket file nobody listens on any more. */
async function isAbandoned(socketPath: string): Promise<boolean> {
  const isSocket = await lstat(socketPath).then(
    (status) => status.isSocket(),
    () => false,
  );
  if (!isSocket) return false;
  return new Promise((resolve) => {
    const probe = connect(socketPath);
    probe.once('connect', () => resolve(false));
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    probe.once('close', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
}
