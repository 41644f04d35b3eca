import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { logged } from '../http/request-context.js';
import { LoggerToken } from '../settings/logger.js';
import { closeClient } from '../upgrades/close-codes.js';
import { serveClient } from '../upgrades/serve-client.js';
import type { SocketConnection } from '../upgrades/socket-connection.js';
import { typingRefusal } from '../upgrades/typing-refusal.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { DisplayConnection, type DisplayParts } from './display-connection.js';
import { RfbQuery } from './display-shapes.js';

/** {@link DisplayParts} as a dependency. */
export const DisplayPartsToken = Symbol('DisplayParts');

/** No event: only policy is asked. */
const anyInput = { command: 'input-send-event', json: '{"events":[]}' };

/** `/v1/vms/{vm}/displays/{display}/rfb`. */
@WebSocketGateway({ path: 'openRfb' })
export class DisplaysGateway implements OnGatewayConnection<WebSocket> {
  constructor(
    @Inject(DisplayPartsToken) private readonly parts: DisplayParts,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(VmRegistry) private readonly registry: VmRegistry,
    @Inject(LoggerToken) private readonly log: Logger,
  ) {}

  handleConnection(client: WebSocket, connection: SocketConnection): void {
    const fault = (error: unknown): void => this.log.error({ err: error, ...logged(connection) }, 'a display failed');
    serveClient(client, () => this.#serve(client, connection, fault), fault);
  }

  #serve(client: WebSocket, connection: SocketConnection, fault: (error: unknown) => void): void {
    const { vm: id = '', path, query = new RfbQuery() } = connection;
    const { view = false, take = false } = query as RfbQuery;
    const vm = this.registry.get(id);
    if (vm === undefined) {
      closeClient(client, 'session-ended', 'the VM was removed');
      return;
    }
    const refusal = view ? undefined : typingRefusal(this.path, connection, id, anyInput);
    if (take && refusal !== undefined) {
      closeClient(client, 'policy', refusal.detail);
      return;
    }
    const wish = { vm, display: path['display'] ?? '', types: !view && refusal === undefined, take };
    const commands = new RequestCommands(this.path, callerOf(connection, id));
    new DisplayConnection(client, connection, wish, this.parts).serve(commands).catch(fault);
  }
}
