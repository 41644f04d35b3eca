import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Endpoint } from './endpoint.js';
import type { LastErrorCode } from './last-error.js';
import { connectionProbeMs, type TlsOptions } from './transport.js';
import { holdFile, linkedPath, type HeldFile } from './unix-sockets/link-free-path.js';
import { listenOnSocketFile } from './unix-sockets/socket-server.js';
import { isPrivate } from './unix-sockets/trusted-directory.js';

export type ListeningEndpoint = Extract<Endpoint, { kind: 'listen-unix' | 'listen-tls' }>;

export interface PeerListenerOptions {
  readonly tls?: TlsOptions;
  /** For a unix socket: the directory below which no name may be a link; without it links are followed. */
  readonly anchor?: string;
}

export interface PeerListenerHost {
  listening(): void;
  failed(code: LastErrorCode, detail: string): void;
  /** A peer dialled in and, over TLS, presented a trusted certificate. */
  connected(socket: Socket): void;
  refused(detail: string): void;
}

/**
 * Waits for a QEMU that dials in (`reconnect=`). Any peer that can connect counts as the VM, so a unix socket must be
 * in a directory that only this process's user may enter, and TLS peers must present a client certificate.
 */
export class PeerListener {
  readonly #endpoint: ListeningEndpoint;
  readonly #host: PeerListenerHost;
  readonly #server: Server;
  readonly #anchor: string | undefined;
  #closed = false;

  constructor(endpoint: ListeningEndpoint, { tls, anchor }: PeerListenerOptions, host: PeerListenerHost) {
    this.#endpoint = endpoint;
    this.#anchor = anchor;
    this.#host = host;
    if (endpoint.kind === 'listen-unix') {
      this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#connected(socket));
    } else {
      const { ca, cert, key } = tls ?? {};
      const options = {
        ...{ ca, cert, key },
        ...{ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' as const },
        ...{ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: connectionProbeMs },
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
        this.#host.failed(faultOf(code), message);
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
    const { dir, base } = path.parse(this.#endpoint.path);
    const directory = holdPrivate(dir, this.#anchor);
    try {
      const isWanted = (): boolean => !this.#closed;
      await listenOnSocketFile(this.#server, `${directory.path}/${base}`, { shown: this.#endpoint.path, isWanted });
    } catch (error) {
      directory.release();
      throw Object.assign(error as Error, { message: (error as Error).message.replaceAll(directory.path, dir) });
    }
    if (!this.#server.listening) {
      directory.release();
      return;
    }
    this.#server.on('error', () => undefined);
    // Node.js removes the socket by its name when the server closes, so its path must remain valid until then.
    this.#server.once('close', () => directory.release());
    if (this.#closed) this.#server.close();
  }

  #connected(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#closed) socket.destroy();
    else this.#host.connected(socket);
  }
}

const insecure = 'INSECURE_DIRECTORY';

function faultOf(code: string | undefined): LastErrorCode {
  if (code === linkedPath) return 'linked-path';
  return code === insecure ? 'insecure-directory' : 'listen-failed';
}

/**
 * Holds the directory open, so that the socket is created in the directory that was checked. Only this process's user
 * may enter it, because every peer that can reach the socket counts as the VM.
 */
function holdPrivate(directory: string, anchor: string | undefined): HeldFile {
  const held = holdFile(directory, anchor);
  if (held.status.isDirectory() && isPrivate(held.status)) return held;
  held.release();
  throw Object.assign(new Error(`${directory} must belong to this user and have mode 0700`), { code: insecure });
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
