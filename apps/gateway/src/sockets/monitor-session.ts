import type { QmpEvent } from '@qmp-gateway/qmp';
import type { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandPath } from '../commands/command-request.js';
import type { EventHub } from '../events/event-hub.js';
import { onOneLine } from '../events/event-record.js';
import type { CloseReason } from './close-codes.js';
import type { MonitorTarget, MonitorTargetSession } from './monitor-target.js';
import type { Leaver } from './socket-connection.js';
import { genericError, qmpErrorOf, shown, type QmpError } from './monitor-errors.js';
import { QmpInput, type QmpInputValue } from './qmp-input.js';
import { readQmpMessage, type QmpCommand } from './qmp-message.js';

/** How a client of the shared monitor is reached: a WebSocket or a unix socket. */
export interface MonitorTransport {
  /** One message of ours, without line end. */
  send(message: readonly (string | Buffer)[]): void;
  /** Bytes the client has not taken. */
  readonly unsent: number;
  pause(): void;
  resume(): void;
  /** @param text in place of the reason's name, for clients that can be told */
  end(reason: CloseReason, text?: string): void;
}

export interface MonitorSessionParts {
  readonly target: MonitorTarget;
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly leavers: Set<Leaver>;
  readonly path: CommandPath;
  readonly hub: EventHub;
  readonly transport: MonitorTransport;
}

/** QEMU reads ahead as many in-band commands of one monitor. */
const inFlightBound = 8;
const messageBound = 1024 * 1024;
/** Values of one client in one turn of all; there may be tens of thousands in a piece of its stream. */
const readAtOnce = 200;
/** QEMU would go on filling its memory for a client that does not read. */
const unsentBound = 8 * 1024 * 1024;

const capabilitiesFirst: QmpError = { class: 'CommandNotFound', desc: 'qmp_capabilities comes before other commands' };
const negotiatedAlready: QmpError = { class: 'CommandNotFound', desc: 'Capabilities were negotiated before' };

/** A place in the order of in-band answers. */
interface Place {
  message?: readonly (string | Buffer)[];
}

/**
 * One client of a shared monitor. It meets what QEMU would show it (greeting, negotiation, answers to in-band
 * commands in their order, events) while its commands go the way of all commands: policy, audit, validation, queue.
 */
export class MonitorSession implements Leaver {
  readonly #parts: MonitorSessionParts;
  readonly #session: MonitorTargetSession | undefined;
  readonly #input = new QmpInput();
  /** The next one last: taking them from the front of a long list would cost its length each time. */
  #unread: QmpInputValue[] = [];
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

  constructor(parts: MonitorSessionParts) {
    this.#parts = parts;
    const { target, transport, hub, leavers } = parts;
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
      hub.tap(target.id, (event) => this.#event(event)),
    );
    transport.send([onOneLine(this.#session.greetingJson)]);
  }

  /** Bytes of the client. */
  feed(chunk: Buffer): void {
    if (this.#state === 'ended') return;
    this.#unread = [...this.#input.push(chunk).reverse(), ...this.#unread];
    if (this.#input.held > messageBound) this.end('too-big');
    else this.#readOn();
  }

  /** The client went away; its commands that run go on without it. */
  close(): void {
    this.#state = 'ended';
    this.#unread.length = 0;
    for (const release of this.#releases.splice(0)) release();
  }

  /** Closes the connection. Nothing that came and is not begun yet, or still comes, is run; the first reason counts. */
  end(reason: CloseReason): void {
    if (this.#state === 'ended') return;
    this.close();
    this.#parts.transport.end(reason);
  }

  /** What is in flight is answered; what comes now is refused. */
  leave(): void {
    this.#leaving = true;
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (this.#leaving && this.#places.length === 0 && this.#outOfBandInFlight === 0) this.end('going-away');
  }

  /** What was answered in the same breath (the reply of `quit`) still goes out. */
  #vmEnded(): void {
    this.#vmGone = true;
    setImmediate(() => this.end('session-ended'));
  }

  #readOn(): void {
    for (let read = 0; read < readAtOnce; read++) {
      if (this.#places.length >= inFlightBound || this.#outOfBandInFlight >= inFlightBound) break;
      const value = this.#unread.pop();
      if (value === undefined) break;
      this.#read(value);
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
    const { principal, requestId, traceparent, path, target } = this.#parts;
    path.execute(
      {
        principal,
        requestId: `${requestId.slice(0, 110)}.${++this.#commands}`,
        traceparent,
        entrance: 'monitor',
        vm: target.id,
        command: name,
        arguments: argumentsJson === undefined ? { kind: 'none' } : { kind: 'json', json: argumentsJson },
        outOfBand,
        arrivedAt: performance.now(),
        ...(this.#session === undefined ? {} : { epoch: this.#session.epoch }),
      },
      (answer) => this.#answered(id, answer, outOfBand ? undefined : place),
    );
  }

  #answered(id: string | undefined, answer: CommandAnswer, place: Place | undefined): void {
    if (place === undefined) this.#outOfBandInFlight--;
    if (this.#ended) return;
    let message: readonly (string | Buffer)[] = [];
    if (answer.ok) message = ['{"return": ', answer.json, idMember(id), '}'];
    // Of what a lost session leaves open QEMU would say nothing, and the client knows what that means.
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

  #event({ name, data, timestamp }: QmpEvent): void {
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

function idMember(id: string | undefined): string {
  return id === undefined ? '' : `, "id": ${id}`;
}

function errorMessage(id: string | undefined, { class: errorClass, desc }: QmpError): readonly string[] {
  const head = id === undefined ? '{' : `{"id": ${id}, `;
  return [`${head}"error": {"class": ${JSON.stringify(errorClass)}, "desc": ${JSON.stringify(desc)}}}`];
}
