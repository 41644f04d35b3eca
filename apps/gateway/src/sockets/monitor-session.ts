import type { QmpEvent } from '@qmp-gateway/qmp';
import type { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandPath } from '../commands/command-request.js';
import type { EventHub } from '../events/event-hub.js';
import { onOneLine } from '../events/event-record.js';
import type { Problem } from '../problems/problem.js';
import type { CloseReason } from './close-codes.js';
import type { MonitorTarget, MonitorTargetSession } from './monitor-target.js';
import type { Leaver } from './socket-connection.js';
import { QmpInput, type QmpInputValue } from './qmp-input.js';
import { QmpMessageError, readQmpMessage, type QmpCommand } from './qmp-message.js';

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
/** QEMU would go on filling its memory for a client that does not read. */
const unsentBound = 8 * 1024 * 1024;

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
  readonly #unread: QmpInputValue[] = [];
  readonly #places: Place[] = [];
  readonly #releases: (() => void)[] = [];
  #state: 'negotiating' | 'negotiated' | 'ended' = 'negotiating';
  #oob = false;
  #paused = false;
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
    this.#unread.push(...this.#input.push(chunk));
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
    while (this.#places.length < inFlightBound && this.#outOfBandInFlight < inFlightBound) {
      if (this.#unread.length === 0) break;
      this.#read(this.#unread.shift());
    }
    const isFull = this.#unread.length > 0;
    if (isFull === this.#paused || this.#ended) return;
    this.#paused = isFull;
    if (isFull) this.#parts.transport.pause();
    else this.#parts.transport.resume();
  }

  get #ended(): boolean {
    return this.#state === 'ended';
  }

  #read(value: QmpInputValue): void {
    const place = this.#takePlace();
    let command: QmpCommand;
    try {
      if (value === undefined) throw new QmpMessageError('A control byte cut the input short', undefined);
      command = readQmpMessage(value);
    } catch (error) {
      if (!(error instanceof QmpMessageError)) throw error;
      this.#fill(place, errorMessage(error.id, 'GenericError', error.description));
      return;
    }
    if (this.#leaving) this.#fill(place, errorMessage(command.id, 'GenericError', 'The gateway is stopping'));
    else if (this.#state === 'negotiating') this.#fill(place, this.#negotiate(command));
    else if (command.name === 'qmp_capabilities' && !command.outOfBand)
      this.#fill(place, errorMessage(command.id, 'CommandNotFound', 'Capabilities were negotiated already'));
    else this.#execute(command, place);
  }

  #negotiate({ id, name, outOfBand, arguments: args }: QmpCommand): readonly string[] {
    if (outOfBand) return errorMessage(id, 'GenericError', 'Out-of-band execution was not negotiated');
    if (name !== 'qmp_capabilities')
      return errorMessage(id, 'CommandNotFound', 'Capabilities come first: execute qmp_capabilities');
    const wanted = new Set<string>();
    for (const { name: member, value } of args?.members ?? []) {
      if (member !== 'enable') return errorMessage(id, 'GenericError', `qmp_capabilities has no argument '${member}'`);
      if (value.kind !== 'array') return errorMessage(id, 'GenericError', `'enable' is a list of capabilities`);
      for (const item of value.items) wanted.add(item.kind === 'string' ? item.value : '');
    }
    const oob = wanted.delete('oob');
    if (wanted.size > 0 || (oob && this.#session?.oob !== true))
      return errorMessage(id, 'GenericError', 'A capability was asked for that the greeting does not offer');
    this.#oob = oob;
    this.#state = 'negotiated';
    return ['{"return": {}', idMember(id), '}'];
  }

  #execute(command: QmpCommand, place: Place): void {
    const { id, name, outOfBand, argumentsJson } = command;
    if (outOfBand && !this.#oob) {
      this.#fill(place, errorMessage(id, 'GenericError', 'Out-of-band execution was not negotiated'));
      return;
    }
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
    else if (!this.#vmGone) message = problemMessage(id, answer.problem);
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

function errorMessage(id: string | undefined, errorClass: string, description: string): readonly string[] {
  const head = id === undefined ? '{' : `{"id": ${id}, `;
  return [`${head}"error": {"class": ${JSON.stringify(errorClass)}, "desc": ${JSON.stringify(description)}}}`];
}

/** What QEMU said, or what we say in its terms. */
function problemMessage(id: string | undefined, problem: Problem): readonly string[] {
  const { qmp, errors } = problem.fields;
  if (qmp !== undefined) return errorMessage(id, qmp.class, qmp.desc);
  const errorClass = problem.code === 'command-not-found' ? 'CommandNotFound' : 'GenericError';
  const faults = (errors ?? []).map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  return errorMessage(id, errorClass, faults === '' ? problem.detail : `${problem.detail} ${faults}`);
}
