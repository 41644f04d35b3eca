import type { Provider } from '@nestjs/common';
import { JsonRpcGateway } from './json-rpc.gateway.js';
import { MonitorGateway } from './monitor.gateway.js';
import { SOCKET_PARTS, type SocketParts } from './socket-connection.js';

/** What the Nest module needs for the WebSockets; the application uses {@link QmpWsAdapter} beside it. */
export function socketProviders(parts: SocketParts): Provider[] {
  return [{ provide: SOCKET_PARTS, useValue: parts }, JsonRpcGateway, MonitorGateway];
}
