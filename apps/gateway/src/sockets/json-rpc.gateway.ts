import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { JsonRpcConnection } from './json-rpc-connection.js';
import { serveClient } from '../upgrades/serve-client.js';
import type { SocketConnection } from '../upgrades/socket-connection.js';
import { SOCKET_PARTS, type SocketParts } from './socket-parts.js';

/** `/v1/ws`: JSON-RPC 2.0. */
@WebSocketGateway({ path: 'openWebSocket' })
export class JsonRpcGateway implements OnGatewayConnection<WebSocket> {
  constructor(@Inject(SOCKET_PARTS) private readonly parts: SocketParts) {}

  handleConnection(client: WebSocket, connection: SocketConnection): void {
    serveClient(
      client,
      () => new JsonRpcConnection(client, connection, this.parts),
      (error) => this.parts.fault(error, connection),
    );
  }
}
