import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { JsonRpcConnection } from './json-rpc-connection.js';
import { SOCKET_PARTS, type SocketConnection, type SocketParts } from './socket-connection.js';
import { socketPaths } from './socket-router.js';

/** `/v1/ws`: JSON-RPC 2.0. */
@WebSocketGateway({ path: socketPaths.jsonRpc })
export class JsonRpcGateway implements OnGatewayConnection<WebSocket> {
  constructor(@Inject(SOCKET_PARTS) private readonly parts: SocketParts) {}

  handleConnection(client: WebSocket, connection: SocketConnection): void {
    new JsonRpcConnection(client, connection, this.parts);
  }
}
