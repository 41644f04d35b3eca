import { AbstractWsAdapter } from '@nestjs/websockets';
import type { WebSocket, WebSocketServer } from 'ws';
import type { SocketRouter } from './socket-router.js';

/**
 * Nest's way to our WebSocket servers: a gateway says its path and gets the connections; upgrades come by the router,
 * which knows refusals over HTTP. Messages are the gateways' own: they are answered with bytes as QEMU wrote them,
 * so Nest's dispatch of decoded messages has no part in it.
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
