import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { systemClock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { logged } from '../http/request-context.js';
import { Problem } from '../problems/problem.js';
import { LoggerToken } from '../settings/logger.js';
import { closeClient } from '../upgrades/close-codes.js';
import { Heartbeat } from '../upgrades/heartbeat.js';
import { serveClient } from '../upgrades/serve-client.js';
import type { SocketConnection } from '../upgrades/socket-connection.js';
import { typingRefusal } from '../upgrades/typing-refusal.js';
import { SerialClient } from './serial-client.js';
import type { SerialLine } from './serial-line.js';
import { SerialPlaces } from './serial-places.js';
import { SerialStreamQuery } from './serial-shapes.js';
import { SERIAL_STREAM_PARTS, type SerialStreamParts } from './serial-stream-parts.js';

/** `/v1/vms/{vm}/serials/{serial}/stream`. */
@WebSocketGateway({ path: 'openSerial' })
export class SerialsGateway implements OnGatewayConnection<WebSocket> {
  readonly #places = new SerialPlaces();

  constructor(
    @Inject(SERIAL_STREAM_PARTS) private readonly parts: SerialStreamParts,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(LoggerToken) private readonly log: Logger,
  ) {}

  handleConnection(client: WebSocket, connection: SocketConnection): void {
    const fault = (error: unknown): void => {
      this.log.error({ err: error, ...logged(connection) }, 'a serial line failed');
      closeClient(client, 'failed', 'the gateway failed; its log has the details');
    };
    serveClient(client, () => void this.#serve(client, connection).catch(fault), fault);
  }

  async #serve(client: WebSocket, connection: SocketConnection): Promise<void> {
    // Until the line is there, nobody takes what the client sends.
    client.pause();
    try {
      await this.#open(client, connection);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { code, detail } = error;
      closeClient(client, code === 'device-not-found' ? 'absent' : 'session-ended', detail);
    } finally {
      client.resume();
    }
  }

  async #open(client: WebSocket, connection: SocketConnection): Promise<void> {
    const { principal, socket, vm = '', path } = connection;
    this.parts.audit.requireWritable();
    const { serials, line } = await this.parts.lines.require(vm, path['serial'] ?? '');
    // What was in the way when the VM was asked last may have gone: it may have been the gateway itself.
    if (serials.whyNot(line) !== null) await serials.look();
    const reason = this.#places.refusal(principal.id, line.readers) ?? serials.whyNot(line);
    if (reason !== null) {
      closeClient(client, serials.vm.ready ? 'try-again-later' : 'session-ended', reason);
      return;
    }
    // It may have left meanwhile.
    if (client.readyState !== client.OPEN) return;
    this.#places.take(principal.id);
    client.once('close', () => this.#places.give(principal.id));
    const reader = this.#clientOf(client, connection, line);
    new Heartbeat({ client, socket, principal, clock: systemClock, owner: reader });
    this.parts.audit.change(principal, connection, 'serial-opened', { vm, serial: line.id });
    client.once('close', () => serials.leave(line, reader));
    const unattached = await serials.join(line, reader);
    if (unattached !== undefined) reader.end('try-again-later', unattached);
  }

  #clientOf(client: WebSocket, connection: SocketConnection, line: SerialLine): SerialClient {
    const { principal, socket, vm = '', query } = connection;
    const { after, view = false } = query instanceof SerialStreamQuery ? query : new SerialStreamQuery();
    const said = (what: string, more: object): void =>
      this.parts.audit.change(principal, connection, what, { vm, serial: line.id, ...more });
    const commands = new RequestCommands(this.path, callerOf(connection, vm));
    const sendBreak = { command: 'chardev-send-break', json: JSON.stringify({ id: line.id }) };
    return new SerialClient(line, {
      ...{ client, socket, name: principal.name, after, leavers: this.parts.leavers },
      mayType: !view && typingRefusal(this.path, connection, vm, sendBreak) === undefined,
      count: this.parts.counts.of('serial'),
      sendBreak: () =>
        commands.run(sendBreak.command, sendBreak.json).then(
          () => undefined,
          (error: unknown) => (error instanceof Problem ? error.detail : 'The gateway failed on this request.'),
        ),
      takenOver: (from) => said('serial-taken-over', { from }),
      closed: (end) => said('serial-closed', end),
    });
  }
}
