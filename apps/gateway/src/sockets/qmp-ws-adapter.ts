import { AbstractWsAdapter } from '@nestjs/websockets';
import type { WebSocket, WebSocketServer } from 'ws';
import type { SocketRouter } from '../upgrades/socket-router.js';

/**
 * Connects Nest's gateways to our WebSocket servers. The classes with `@WebSocketGateway` are real Nest gateways up to the
 * connection; from there on the socket path is ours, because Nest decodes each message, dispatches it by an `event` member
 * and encodes what a handler returns, while JSON-RPC and QMP have forms of their own and answers must leave with the bytes
 * that the VM wrote. A gateway's `path` is the id of its resource, which declares the path. Upgrades come by the
 * {@link SocketRouter}, which can refuse over HTTP.
 */
export class QmpWsAdapter extends AbstractWsAdapter {
  constructor(private readonly router: SocketRouter) {
    super();
  }

  override create(_port: number, options?: { path?: string }): WebSocketServer {
    return this.router.serverOf(options?.path ?? '');
  }

  override bindClientDisconnect(client: WebSocket, callback: () => void): void {
    client.once('close', callback);
  }

  override bindMessageHandlers(): void {
    // See above.
  }

  /** The router owns the servers. */
  override close(): Promise<void> {
    return Promise.resolve();
  }
}
