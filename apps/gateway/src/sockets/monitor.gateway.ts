import { systemClock } from '@qmp-gateway/qmp';
import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { closeCodes } from '../upgrades/close-codes.js';
import { Heartbeat } from '../upgrades/heartbeat.js';
import { MonitorConnection } from './monitor-connection.js';
import { monitorTargetOf } from './monitor-target.js';
import { WebSocketTransport } from './monitor-transports.js';
import { serveClient } from '../upgrades/serve-client.js';
import type { SocketConnection } from '../upgrades/socket-connection.js';
import { SOCKET_PARTS, type SocketParts } from './socket-parts.js';

/** `/v1/vms/{vm}/monitor`: QMP as the VM's own monitor speaks it, for many clients at once. */
@WebSocketGateway({ path: 'openMonitor' })
export class MonitorGateway implements OnGatewayConnection<WebSocket> {
  constructor(@Inject(SOCKET_PARTS) private readonly parts: SocketParts) {}

  handleConnection(client: WebSocket, connection: SocketConnection): void {
    serveClient(
      client,
      () => this.#serve(client, connection),
      (error) => this.parts.fault(error, connection),
    );
  }

  #serve(client: WebSocket, { principal, requestId, traceparent, handed, socket, vm = '' }: SocketConnection): void {
    const { registry, path, hub, clock = systemClock, leavers } = this.parts;
    const found = registry.get(vm);
    if (found === undefined) {
      client.close(closeCodes['try-again-later'], 'the VM was removed');
      return;
    }
    const transport = new WebSocketTransport(client, socket, clock);
    const target = monitorTargetOf(found);
    const connection = new MonitorConnection({
      ...{ target, principal, requestId, traceparent, handed, leavers, path, hub, transport, clock },
    });
    new Heartbeat({ client, socket, principal, clock, owner: connection });
    client.on('message', (data: Buffer) => connection.feed(data));
    client.on('close', () => connection.close());
  }
}
