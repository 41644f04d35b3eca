import { descriptorCommands } from '@qmp-gateway/catalog';
import type { Clock, QmpEvent } from '@qmp-gateway/qmp';
import type { Descriptor } from '@qmp-gateway/unix-fds';
import type { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandPath } from '../commands/command-request.js';
import type { EventHub, EventTap } from '../events/event-hub.js';
import { onOneLine } from '../events/event-record.js';
import type { CloseReason } from '../upgrades/close-codes.js';
import type { HeartbeatOwner } from '../upgrades/heartbeat.js';
import type { MonitorTarget, MonitorTargetSession } from './monitor-target.js';
import type { Leaver } from '../upgrades/socket-connection.js';
import { ArrivedDescriptors, ClientDescriptors, EndOfPiece } from './client-descriptors.js';
import { genericError, qmpErrorOf, shown, type QmpError } from './monitor-errors.js';
import { QmpInput, type QmpInputValue } from './qmp-input.js';
import { readQmpMessage, type QmpCommand } from './qmp-message.js';

/** The transport of a shared monitor's client: a WebSocket or a unix socket. */
export interface MonitorTransport {
  /** Sends one message, without line end. */
  send(message: readonly (string | Buffer)[]): void;
  /** Bytes that the client has not read. */
  readonly unsent: number;
  pause(): void;
  resume(): void;
  /** @param text in place of the reason's name, where the transport can carry one */
  end(reason: CloseReason, text?: string): void;
}

export interface MonitorConnectionParts {
  readonly target: MonitorTarget;
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  /** Another node of the fleet has handed it over: which one. */
  readonly handed?: { readonly node: string } | undefined;
  readonly leavers: Set<Leaver>;
  readonly path: CommandPath;
  readonly hub: EventHub;
  readonly transport: MonitorTransport;
  readonly clock: Clock;
  /** Of a transport that descriptors come by; told how many were closed that no command took. */
  readonly unusedDescriptors?: ((count: number) => void) | undefined;
}

/** QEMU reads ahead this many in-band commands of one monitor. */
const inFlightBound = 8;
const messageBound = 1024 * 1024;
/** Number of values of one client to process in one turn; a piece of its stream may contain tens of thousands. */
const readAtOnce = 200;
/** Bound where QEMU would fill its memory for a client that does not read. */
const unsentBound = 8 * 1024 * 1024;

const capabilitiesFirst: QmpError = { class: 'CommandNotFound', desc: 'qmp_capabilities comes before other commands' };
const negotiatedAlready: QmpError = { class: 'CommandNotFound', desc: 'Capabilities were negotiated before' };

/** A place in the order of in-band answers. */
interface Place {
  message?: readonly (string | Buffer)[];
}

/**
 * One client of a shared monitor. It gets what QEMU would send (greeting, negotiation, answers to in-band commands in
 * their order, events), while its commands take the way of all commands: policy, audit, validation, queue.
 */
export class MonitorConnection implements Leaver, HeartbeatOwner, EventTap {
  readonly #parts: MonitorConnectionParts;
  readonly #session: MonitorTargetSession | undefined;
  readonly #input = new QmpInput();
  /** In reverse, the next one last: removing from the front of a long list would cost its length each time. */
  #unread: (QmpInputValue | ArrivedDescriptors | EndOfPiece)[] = [];
  /** Undefined where none can come. */
  readonly #descriptors: ClientDescriptors | undefined;
  readonly #places: Place[] = [];
  readonly #releases: (() => void)[] = [];
  #state: 'negotiating' | 'negotiated' | 'ended' = 'negotiating';
  #oob = false;
  #paused = false;
  #later: NodeJS.Immediate | undefined;
  #vmGone = false;
  #leaving = false;
  #commands = 0;
  #outOfBandInFlight = 0;

  constructor(parts: MonitorConnectionParts) {
    this.#parts = parts;
    const { target, transport, hub, leavers, unusedDescriptors, clock } = parts;
    if (unusedDescriptors !== undefined) this.#descriptors = new ClientDescriptors(unusedDescriptors, clock);
    this.#session = target.session;
    if (this.#session === undefined) {
      this.#state = 'ended';
      transport.end('try-again-later', target.away);
      return;
    }
    leavers.add(this);
    this.#releases.push(
      () => leavers.delete(this),
      target.onceSessionEnded(() => this.#vmEnded()),
      hub.tap(target.id, this),
    );
    transport.send([onOneLine(this.#session.greetingJson)]);
  }

  /** Processes bytes of the client. @param descriptors came with one of them, and are closed here, or by their command */
  feed(chunk: Buffer, descriptors: readonly Descriptor[] = []): void {
    if (this.#state === 'ended') {
      for (const descriptor of descriptors) descriptor.close();
      return;
    }
    const isStart = this.#input.held === 0;
    const values = this.#input.push(chunk).reverse();
    const [first] = values;
    if (descriptors.length === 0) this.#unread = [...values, ...this.#unread];
    else {
      const isWhole = isStart && values.length === 1 && first instanceof Buffer && isAllBut(chunk, first);
      const piece = [new EndOfPiece(isWhole), ...values, new ArrivedDescriptors(descriptors)];
      this.#unread = [...piece, ...this.#unread];
    }
    if (this.#input.held > messageBound) this.end('too-big');
    else this.#readOn();
  }

  /** The client has disconnected; its running commands go on. */
  close(): void {
    this.#state = 'ended';
    for (const item of this.#unread.splice(0))
      if (item instanceof ArrivedDescriptors) this.#descriptors?.arrived(item.descriptors);
    this.#descriptors?.drop();
    for (const release of this.#releases.splice(0)) release();
  }

  /**
   * Closes the connection. Commands that have not started yet, or still arrive, do not run; the first reason counts.
   */
  end(reason: CloseReason): void {
    if (this.#state === 'ended') return;
    this.close();
    this.#parts.transport.end(reason);
  }

  heartStopped(reason: CloseReason): void {
    this.end(reason);
  }

  /** What is in flight is answered; what comes now is refused. */
  leave(): void {
    this.#leaving = true;
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (this.#leaving && this.#places.length === 0 && this.#outOfBandInFlight === 0) this.end('going-away');
  }

  /** Answers of the same turn (the reply of `quit`) still go out. */
  #vmEnded(): void {
    this.#vmGone = true;
    setImmediate(() => this.end('session-ended'));
  }

  #readOn(): void {
    for (let read = 0; read < readAtOnce; read++) {
      if (this.#places.length >= inFlightBound || this.#outOfBandInFlight >= inFlightBound) break;
      const value = this.#unread.pop();
      if (value === undefined) break;
      if (value instanceof ArrivedDescriptors) this.#descriptors?.arrived(value.descriptors);
      else if (value instanceof EndOfPiece) this.#descriptors?.pieceEnded(value);
      else this.#read(value);
      if (read + 1 === readAtOnce) this.#goOnLater();
    }
    const isFull = this.#unread.length > 0;
    if (isFull === this.#paused || this.#ended) return;
    this.#paused = isFull;
    if (isFull) this.#parts.transport.pause();
    else this.#parts.transport.resume();
  }

  #goOnLater(): void {
    this.#later ??= setImmediate(() => {
      this.#later = undefined;
      if (!this.#ended) this.#readOn();
    });
  }

  get #ended(): boolean {
    return this.#state === 'ended';
  }

  #read(value: QmpInputValue): void {
    const place = this.#takePlace();
    const command = readQmpMessage(value);
    if ('refusal' in command || !descriptorCommands.has(command.name)) this.#descriptors?.passedOver();
    if ('refusal' in command) {
      this.#fill(place, errorMessage(command.id, command.refusal));
      return;
    }
    const { id, name, outOfBand } = command;
    if (this.#leaving) this.#fill(place, errorMessage(id, genericError('This monitor is about to close')));
    else if (outOfBand && !this.#oob)
      this.#fill(place, errorMessage(id, genericError(`'exec-oob' needs the capability 'oob', which was not enabled`)));
    else if (name === 'qmp_capabilities' && !outOfBand) this.#fill(place, this.#negotiate(command));
    else if (this.#state === 'negotiating') this.#fill(place, errorMessage(id, capabilitiesFirst));
    else this.#execute(command, place);
  }

  #negotiate({ id, arguments: args }: QmpCommand): readonly string[] {
    const wanted = new Set<string>();
    for (const { name, value } of args?.members ?? []) {
      if (name !== 'enable') return errorMessage(id, genericError(`Argument ${shown(name)}: unknown`));
      if (value.kind !== 'array')
        return errorMessage(id, genericError(`Argument 'enable': expected a list of capabilities`));
      for (const item of value.items) wanted.add(item.kind === 'string' ? item.value : '');
    }
    const oob = wanted.delete('oob');
    const [unknown] = wanted;
    if (unknown !== undefined) return errorMessage(id, genericError(`There is no capability ${shown(unknown)}`));
    if (this.#state === 'negotiated') return errorMessage(id, negotiatedAlready);
    if (oob && this.#session?.oob !== true)
      return errorMessage(id, genericError(`The greeting does not offer the capability 'oob'`));
    this.#oob = oob;
    this.#state = 'negotiated';
    return ['{"return": {}', idMember(id), '}'];
  }

  #execute(command: QmpCommand, place: Place): void {
    const { id, name, outOfBand, argumentsJson } = command;
    if (outOfBand) {
      // Their answers overtake the others. The place was the last one.
      this.#places.pop();
      this.#outOfBandInFlight++;
    }
    const { principal, requestId, traceparent, handed, path, target } = this.#parts;
    path.execute(
      {
        principal,
        requestId: `${requestId.slice(0, 110)}.${++this.#commands}`,
        traceparent,
        handed,
        entrance: 'monitor',
        vm: target.id,
        command: name,
        arguments: argumentsJson === undefined ? { kind: 'none' } : { kind: 'json', json: argumentsJson },
        outOfBand,
        ...(descriptorCommands.has(name) ? { descriptors: this.#descriptors?.take() } : {}),
        arrivedAt: this.#parts.clock.now(),
        ...(this.#session === undefined ? {} : { epoch: this.#session.epoch }),
      },
      { answered: (answer) => this.#answered(id, answer, outOfBand ? undefined : place) },
    );
  }

  #answered(id: string | undefined, answer: CommandAnswer, place: Place | undefined): void {
    if (place === undefined) this.#outOfBandInFlight--;
    if (this.#ended) return;
    let message: readonly (string | Buffer)[] = [];
    if (answer.ok) message = ['{"return": ', answer.json, idMember(id), '}'];
    // QEMU would send nothing about commands that a lost session leaves open, and clients know what that means.
    else if (!this.#vmGone) message = errorMessage(id, qmpErrorOf(answer.problem));
    if (place === undefined) this.#send(message);
    else this.#fill(place, message);
    if (this.#paused) this.#readOn();
    this.#leaveWhenIdle();
  }

  #takePlace(): Place {
    const place: Place = {};
    this.#places.push(place);
    return place;
  }

  /** In-band answers go out in the order of their commands. */
  #fill(place: Place, message: readonly (string | Buffer)[]): void {
    place.message = message;
    while (this.#places[0]?.message !== undefined) {
      const first = this.#places.shift();
      if (first?.message !== undefined) this.#send(first.message);
    }
  }

  event({ name, data, timestamp }: QmpEvent): void {
    if (this.#state !== 'negotiated') return;
    const dataMember = data === undefined ? '' : `, "data": ${onOneLine(data)}`;
    this.#send([`{"timestamp": ${onOneLine(timestamp)}, "event": ${JSON.stringify(name)}${dataMember}}`]);
  }

  #send(message: readonly (string | Buffer)[]): void {
    if (this.#ended || message.length === 0) return;
    const { transport } = this.#parts;
    transport.send(message);
    if (transport.unsent > unsentBound) this.end('too-slow');
  }
}

/** Whether a piece is a message and the end of its line, and nothing else. */
function isAllBut(piece: Buffer, message: Buffer): boolean {
  const rest = piece.length - message.length;
  return rest === 0 || piece.toString('latin1', message.length) === (rest === 1 ? '\n' : '\r\n');
}

function idMember(id: string | undefined): string {
  return id === undefined ? '' : `, "id": ${id}`;
}

function errorMessage(id: string | undefined, { class: errorClass, desc }: QmpError): readonly string[] {
  const head = id === undefined ? '{' : `{"id": ${id}, `;
  return [`${head}"error": {"class": ${JSON.stringify(errorClass)}, "desc": ${JSON.stringify(desc)}}}`];
}
