import { systemClock } from '@qmp-gateway/qmp';
import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { closeCodes } from './close-codes.js';
import { Heartbeat } from './heartbeat.js';
import { MonitorSession } from './monitor-session.js';
import { monitorTargetOf } from './monitor-target.js';
import { WebSocketTransport } from './monitor-transports.js';
import { SOCKET_PARTS, type SocketConnection, type SocketParts } from './socket-connection.js';
import { socketPaths } from './socket-router.js';

/** `/v1/vms/{vm}/monitor`: QMP as the VM's own monitor speaks it, for many at once. */
@WebSocketGateway({ path: socketPaths.monitor })
export class MonitorGateway implements OnGatewayConnection<WebSocket> {
  constructor(@Inject(SOCKET_PARTS) private readonly parts: SocketParts) {}

  handleConnection(client: WebSocket, { principal, requestId, traceparent, socket, vm = '' }: SocketConnection): void {
    const { registry, path, hub, clock, leavers } = this.parts;
    const found = registry.get(vm);
    if (found === undefined) {
      client.close(closeCodes['try-again-later'], 'the VM was removed');
      return;
    }
    const transport = new WebSocketTransport(client, socket);
    const target = monitorTargetOf(found);
    const session = new MonitorSession({ target, principal, requestId, traceparent, leavers, path, hub, transport });
    new Heartbeat(client, socket, principal, clock ?? systemClock, (reason) => session.end(reason));
    client.on('message', (data: Buffer) => session.feed(data));
    client.on('close', () => session.close());
  }
}
