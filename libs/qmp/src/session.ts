import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { AgentSynchronization } from './agent-synchronization.js';
import type { AnomalyKind } from './anomaly.js';
import { boundedName, lengthOf, readError } from './bounded-parts.js';
import type { Clock, Timer } from './clock.js';
import type { Dialect } from './dialects/dialect.js';
import { EarlyEvents } from './early-events.js';
import type { Execution, Outcome } from './execution.js';
import type { FaultCode } from './fault.js';
import { GreetingOpening } from './greeting-opening.js';
import { readGreeting } from './greeting.js';
import { InFlight, InFlightTable } from './in-flight.js';
import { skipSpace } from './json-scan.js';
import { endBytes, overlongLine, type OverlongLine } from './line-splitter.js';
import { MessageChannel, type OutgoingMessage } from './message-channel.js';
import { checkedBytes, MessageIds, MessageScanner, type Span } from './message.js';
import type { Opening, OpeningFault } from './opening.js';
import { copyOut } from './own-bytes.js';
import { isReadable } from './readable.js';
import { serverBounds } from './server-bounds.js';
import type { Greeting, QmpEvent, SessionInfo } from './session-info.js';
import { SyncOpening } from './sync-opening.js';
import { TokenBucket } from './token-bucket.js';

export interface SessionHost {
  /** Commands may be sent. Events that came earlier follow at once. */
  opened(info: SessionInfo): void;
  event(event: QmpEvent, info: SessionInfo): void;
  /** An event of that name came that is too large to be told. */
  eventLeftOut(name: string, info: SessionInfo): void;
  /** An in-band command was answered: its place is free. */
  answered(): void;
  /** The agent has not answered for a handshake's time; `answered` tells when it did. */
  silent(): void;
  anomaly(kind: AnomalyKind, detail: string): void;
  /** Whoever was told of a line threw this: the session ends now. @throws it again, when nobody wants to know */
  failed(error: unknown): void;
  /** The session is over; called once. What was in flight is settled afterwards. */
  ended(code: FaultCode, detail: string): void;
}

export interface SessionOptions {
  readonly dialect: Dialect;
  /** The greeting may choose another dialect. */
  readonly detect: boolean;
  readonly transport: 'unix' | 'tcp' | 'tls';
  readonly clock: Clock;
  /** Over greeting and negotiation together. */
  readonly handshakeTimeoutMs: number;
  readonly lineBytes: number;
}

/** A server that throttles gets the command again after this time, so many times. */
const retryAfterMs = 25;
const retries = 20;

const emptyObject = Buffer.from('{}');

const replyHead = Buffer.from('{"return":');

/** QMP over one connection, from connect to its end: opening, ids, execution, events. */
export class Session {
  readonly #host: SessionHost;
  readonly #clock: Clock;
  readonly #channel: MessageChannel;
  readonly #ids = new MessageIds(randomBytes(8).toString('hex'));
  readonly #scanner = new MessageScanner();
  readonly #table = new InFlightTable();
  #dialect: Dialect;
  #opening: Opening | null;
  #handshakeDeadline: Timer | null;
  /** Null for peers that greet: those need no synchronizing. */
  readonly #synchronization: AgentSynchronization | null;
  #info: SessionInfo | null = null;
  readonly #early = new EarlyEvents();
  #bucket: TokenBucket | null = null;
  #pacing: Timer | null = null;
  #count = 0;
  #shutdownSeen = false;
  #ended = false;
  readonly #overTcp: boolean;
  /** A failed command waits for its {@link Dialect.queryBeforeEnd}. */
  #querying = false;
  /** Nothing is known of the server yet: it may be one that cannot bear a plain close. */
  #anyServer: boolean;

  constructor(socket: Socket, host: SessionHost, options: SessionOptions) {
    const { dialect, detect, transport, clock } = options;
    const tls = transport === 'tls';
    this.#overTcp = transport === 'tcp';
    this.#anyServer = detect;
    this.#host = host;
    this.#clock = clock;
    this.#dialect = dialect;
    this.#channel = new MessageChannel(
      socket,
      {
        line: (buffer, start, end, owned) => this.#take(buffer, start, end, owned),
        overlong: (overlong) => this.#overlong(overlong),
        disconnected: (error) => this.#disconnected(error),
      },
      {
        lineBytes: options.lineBytes,
        wanted: { always: serverBounds.unaskedLine.most, now: () => this.#table.answerBytes(options.lineBytes) },
        gathers: () => this.#dialect.gathers,
        lastByteApart: tls,
      },
    );
    this.#useDialect(dialect);
    this.#synchronization = dialect.greets ? null : this.#synchronizeWith(clock, options.handshakeTimeoutMs);
    const side = {
      sendRaw: (bytes: Buffer) => this.#channel.sendRaw(bytes),
      request: (execution: Execution) => this.#send(execution),
      useDialect: (chosen: Dialect) => this.#useDialect(chosen),
      opened: (greeting: Greeting | null, oob: boolean) => this.#opened(greeting, oob),
      fail: (fault: OpeningFault) => this.end(fault.code, fault.detail),
    };
    this.#opening = dialect.greets ? new GreetingOpening(side, dialect, detect, tls) : new SyncOpening(side);
    this.#handshakeDeadline = clock.schedule(options.handshakeTimeoutMs, () => {
      const fault = this.#opening?.timedOut();
      if (fault !== undefined) this.end(fault.code, fault.detail);
    });
    this.#opening.begin();
  }

  /** Null until negotiated. */
  get info(): SessionInfo | null {
    return this.#info;
  }

  get inFlight(): number {
    return this.#table.inBand;
  }

  /** Free in-band places; 0 until negotiated and after the end. */
  get places(): number {
    if (this.#info === null || this.#ended || this.#synchronization?.pending === true) return 0;
    return Math.max(0, this.#dialect.window - this.#table.inBand);
  }

  /** Milliseconds the oldest in-band command has been unanswered; null when there is none. */
  get oldestAge(): number | null {
    const oldest = this.#table.oldestInBand();
    return oldest === undefined ? null : this.#clock.now() - oldest.since;
  }

  get quietBeforeCloseMs(): number {
    return this.#dialect.quietBeforeCloseMs;
  }

  execute(execution: Execution): void {
    if (this.#info === null || this.#ended) {
      execution.settle({ kind: 'not-sent', cause: 'no session' });
    } else if (execution.outOfBand === true ? !this.#info.oob : this.places === 0) {
      const cause = execution.outOfBand === true ? 'out-of-band execution was not negotiated' : 'no place is free';
      execution.settle({ kind: 'not-sent', cause });
    } else {
      this.#send(execution);
    }
  }

  /** A command was given up: a guest agent is synchronized with before the next one. Others match replies by id. */
  resynchronize(): void {
    if (this.#info !== null && !this.#ended && this.#table.inBand > 0) this.#synchronization?.begin();
  }

  /** Ends the session from our side: commands handed over are unknown, the others not sent. */
  end(code: FaultCode, detail: string): void {
    this.#end(code, detail, false);
  }

  #send(execution: Execution): void {
    const number = ++this.#count;
    const verb = execution.outOfBand === true ? 'exec-oob' : 'execute';
    const args = execution.argumentsJson === undefined ? '' : `,"arguments":${execution.argumentsJson}`;
    const { command } = execution;
    const text = `{"${verb}":${JSON.stringify(command)}${args},"id":${this.#ids.text(number)}}${this.#dialect.terminator(command)}`;
    if (!isReadable(text)) {
      execution.settle({ kind: 'unreadable' });
      return;
    }
    const limit = this.#dialect.messageBytes;
    if (limit !== null && Buffer.byteLength(text) > limit) {
      execution.settle({ kind: 'too-large', limit });
      return;
    }
    const inFlight = new InFlight(number, text, execution, this.#clock);
    this.#table.add(inFlight);
    this.#transmit(inFlight, 0);
    if (this.#dialect.silentOnSuccess.has(command)) this.#synchronization?.follow(inFlight);
  }

  #synchronizeWith(clock: Clock, intervalMs: number): AgentSynchronization {
    const session = {
      send: (message: OutgoingMessage) => this.#channel.send(message),
      sendRaw: (bytes: Buffer) => this.#channel.sendRaw(bytes),
      confirmed: (command: InFlight) => {
        if (this.#table.has(command)) this.#settle(command, { kind: 'return', value: Buffer.from(emptyObject) });
      },
      synchronized: () => {
        for (const command of this.#table.handedOver())
          this.#settle(command, { kind: 'unknown', cause: 'the agent never answered it' });
        this.#host.answered();
      },
      silent: () => this.#host.silent(),
    };
    return new AgentSynchronization(session, clock, intervalMs);
  }

  #transmit(command: InFlight, delay: number): void {
    const wait = Math.max(delay, this.#bucket?.take(this.#clock.now()) ?? 0);
    if (wait === 0) {
      this.#channel.send(command);
      return;
    }
    this.#pacing = this.#clock.schedule(wait, () => {
      this.#pacing = null;
      this.#channel.send(command);
    });
  }

  #useDialect(dialect: Dialect): void {
    this.#dialect = dialect;
    this.#bucket = dialect.rate === null ? null : new TokenBucket(dialect.rate, this.#clock.now());
  }

  #opened(greeting: Greeting | null, oob: boolean): void {
    this.#opening = null;
    this.#handshakeDeadline?.cancel();
    this.#handshakeDeadline = null;
    const info: SessionInfo = {
      nonce: this.#ids.nonce,
      greeting,
      dialect: this.#dialect.name,
      oob,
      negotiatedAt: this.#clock.wall(),
    };
    this.#info = info;
    const { events, dropped } = this.#early.take();
    if (dropped > 0) this.#host.anomaly('early-events-dropped', `${dropped} events before negotiation`);
    this.#host.opened(info);
    for (const event of events) if (!this.#hasEnded()) this.#host.event(event, info);
  }

  /** As a method: the field may change in a callback, which narrowing does not see. */
  #hasEnded(): boolean {
    return this.#ended;
  }

  /** What a peer says ends at most the session with it, whatever its owner makes of that. */
  #take(line: Buffer, start: number, end: number, owned: boolean): void {
    try {
      this.#line(line, start, end, owned);
    } catch (error) {
      this.#host.failed(error);
      this.end('protocol-error', 'a fault of ours in handling what it sent');
    }
  }

  #line(line: Buffer, start: number, end: number, owned: boolean): void {
    if (this.#opening?.claim(line, start, end) === true) return;
    if (this.#synchronization?.claim(line, start, end) === true) return;
    const cut = !this.#dialect.byGuest || end - start <= checkedBytes;
    if (cut && this.#ids.cutReturn(line, start, end)) {
      this.#returned(this.#table.get(this.#ids.number), line, this.#ids.value, owned);
      return;
    }
    if (end - start > serverBounds.unaskedLine.most && !this.#isWorthScanning(line, start)) {
      this.#overlong(overlongLine(serverBounds.unaskedLine.most, line, start, end));
      return;
    }
    // Usually one message; a StratoVirt before 2.5 may put an event between the CR and the LF of a reply.
    let at = skipSpace(line, start, end);
    while (at < end && !this.#hasEnded()) {
      const kind = this.#scanner.scan(line, at, end);
      if (kind === null) {
        this.#unintelligible(line, at, end);
        return;
      }
      const next = skipSpace(line, this.#scanner.end, end);
      if (kind === 'event') this.#event(line);
      else if (kind === 'greeting') this.#greeting(line.toString('utf8', at, this.#scanner.end));
      else this.#reply(kind, line, owned);
      at = next;
    }
  }

  /**
   * To scan a long line takes 2 ms for each MiB, in which nobody else has a turn. It is either a server's answer with its
   * members in another order than all known servers write, or the answer of a guest.
   */
  #isWorthScanning(line: Buffer, start: number): boolean {
    return this.#dialect.byGuest || line.subarray(start, start + endBytes).includes(this.#ids.nonce);
  }

  #greeting(json: string): void {
    if (this.#opening !== null && json.length > serverBounds.greeting.most) {
      this.end('protocol-error', `a greeting of ${json.length} characters`);
      return;
    }
    const greeting = readGreeting(json);
    if (greeting !== null && this.#opening !== null) {
      this.#anyServer = false;
      this.#opening.greeted(greeting);
    } else this.#host.anomaly('unintelligible-line', 'a greeting out of place or of unknown shape');
  }

  #event(line: Buffer): void {
    const { event, data, timestamp } = this.#scanner;
    if (line[event.start] !== 0x22) {
      this.#unintelligible(line, event.start, event.end);
      return;
    }
    const name = boundedName(line, event);
    if (name === null) {
      this.#host.anomaly('overlong-event', `an event name of ${event.end - event.start} bytes`);
      return;
    }
    if (lengthOf(data) > serverBounds.eventData.most) {
      this.#host.anomaly('overlong-event', `${name} with ${lengthOf(data)} bytes of data`);
      if (this.#info === null) this.#early.drop();
      else this.#host.eventLeftOut(name, this.#info);
      return;
    }
    // With -no-shutdown the VM lives on, and what ends it later may be a crash.
    if (name === 'SHUTDOWN') this.#shutdownSeen = true;
    else if (name === 'RESUME') this.#shutdownSeen = false;
    const qmpEvent: QmpEvent = {
      name,
      data: data.start < 0 ? undefined : line.toString('utf8', data.start, data.end),
      timestamp: this.#timestamp(line, timestamp),
      receivedAt: this.#clock.wall(),
    };
    if (this.#info !== null) this.#host.event(qmpEvent, this.#info);
    else this.#early.hold(qmpEvent, lengthOf(data));
  }

  #timestamp(line: Buffer, span: Span): string {
    const length = lengthOf(span);
    if (length === 0) return 'null';
    if (length <= serverBounds.eventTimestamp.most) return line.toString('utf8', span.start, span.end);
    this.#host.anomaly('overlong-timestamp', `an event's timestamp of ${length} bytes, left out`);
    return 'null';
  }

  #reply(kind: 'return' | 'error', line: Buffer, owned: boolean): void {
    const { id } = this.#scanner;
    if (id.start < 0 && this.#dialect.replies === 'id') {
      this.#replyWithoutId(kind);
      return;
    }
    // The agent's remark on the 0xFF that it found stray.
    if (id.start < 0 && kind === 'error' && this.#synchronization?.pending === true) return;
    const command = id.start < 0 ? this.#table.oldestInBand() : this.#table.get(this.#ids.read(line, id.start, id.end));
    if (kind === 'return') this.#returned(command, line, this.#scanner.return, owned);
    else this.#refused(command, line, this.#scanner.error);
    // Whoever sends such lines could go on as long as an answer is awaited.
    if (command === undefined && line.length > serverBounds.unaskedLine.most)
      this.end('protocol-error', 'a long answer to no command');
  }

  /**
   * With ids on all our messages, an error without one means that the server did not understand our bytes, or that a
   * former client sent its command without an id. Only the former can happen once we are negotiated and waiting.
   */
  #replyWithoutId(kind: 'return' | 'error'): void {
    this.#host.anomaly('reply-without-id', kind);
    if (kind === 'return' || this.#info === null) return;
    this.#abandonOldest('the server answered with an error that names no command');
    this.end('protocol-error', 'an error without id');
  }

  #returned(command: InFlight | undefined, line: Buffer, span: Span, owned: boolean): void {
    if (command === undefined) {
      this.#host.anomaly('foreign-reply', `${span.end - span.start} bytes`);
      return;
    }
    const { answerBytes = Infinity } = command.execution;
    if (span.end - span.start > answerBytes) {
      this.#settle(command, tooLong(answerBytes));
      return;
    }
    const part = line.subarray(span.start, span.end);
    // Keeping a part of a larger buffer would keep all of it.
    const value = owned && part.length * 2 >= line.length ? part : copyOut(part);
    this.#settle(command, { kind: 'return', value });
  }

  #refused(command: InFlight | undefined, line: Buffer, span: Span): void {
    if (command === undefined) {
      this.#host.anomaly('foreign-reply', `error of ${span.end - span.start} bytes`);
      return;
    }
    this.#settle(command, { kind: 'error', ...readError(line, span) });
  }

  #settle(command: InFlight, outcome: Outcome): void {
    const meaning = this.#dialect.interpret(outcome, command.execution.command);
    if (meaning === null && command.attempts < retries) {
      command.attempts++;
      command.refusal = outcome;
      this.#transmit(command, retryAfterMs);
      return;
    }
    this.#table.delete(command);
    if (outcome.kind === 'error' && this.#query(command, meaning ?? outcome)) return;
    // The storage daemon has no SHUTDOWN event.
    if (outcome.kind === 'return' && command.execution.command === 'quit') this.#shutdownSeen = true;
    command.execution.settle(meaning ?? outcome);
    if (command.inBand && this.#info !== null && !this.#ended) this.#host.answered();
  }

  /**
   * After a failed command, for a server that needs it: its error is told when the query is over, and its place is free
   * then. @returns whether the query was sent
   */
  #query({ execution }: InFlight, failure: Outcome): boolean {
    const query = this.#overTcp && this.#info !== null && !this.#ended ? this.#dialect.queryBeforeEnd : null;
    if (query === null || this.#querying) return false;
    this.#querying = true;
    this.#send({
      command: query,
      settle: () => {
        this.#querying = false;
        execution.settle(failure);
      },
    });
    return true;
  }

  #unintelligible(line: Buffer, start: number, end: number): void {
    const command = this.#table.get(this.#ids.readAtEnd(line, start, end));
    this.#host.anomaly('unintelligible-line', `${end - start} bytes`);
    if (command !== undefined) {
      this.#settle(command, { kind: 'unknown', cause: 'the reply is not JSON' });
    } else if (this.#opening !== null) {
      this.#opening.unintelligible(line, start, end);
    } else if (this.#table.inBand > 0) {
      this.#abandonOldest('the server sent a line that is not QMP, perhaps the reply');
      this.end('protocol-error', 'a line that is not QMP');
    }
  }

  /** An answer carries its id at one of its ends; without, it is of the oldest command only where replies have none. */
  #overlong({ limit, length, head, tail }: OverlongLine): void {
    const named = this.#table.get(this.#ids.readAtEnd(tail, 0, tail.length)) ?? this.#table.get(this.#ids.find(head));
    const isOrdered = this.#dialect.replies === 'order' && this.#opening === null;
    const command = named ?? (isOrdered ? this.#table.oldestInBand() : undefined);
    if (command !== undefined) {
      this.#host.anomaly('overlong-line', `${length} bytes in answer to ${command.execution.command}`);
      this.#settle(command, tooLong(limit));
    } else {
      const isReply = head.subarray(0, replyHead.length).equals(replyHead);
      this.#host.anomaly(isReply ? 'foreign-reply' : 'overlong-line', `${length} bytes`);
    }
  }

  /** In-band replies come in order, so what cannot be attributed belongs to the oldest command. */
  #abandonOldest(cause: string): void {
    const oldest = this.#table.oldestInBand();
    if (oldest !== undefined) this.#settle(oldest, { kind: 'unknown', cause });
  }

  #disconnected(error: NodeJS.ErrnoException | null): void {
    // Whether we wrote once more before we read that the peer has closed is chance, and says nothing of the peer.
    const closed = error === null || error.code === 'EPIPE';
    const how = closed ? 'the peer closed the connection' : (error.code ?? error.message);
    if (this.#shutdownSeen || this.#table.awaits('quit')) this.#end('shutdown', 'the VM ended', true);
    else if (this.#opening !== null && closed) {
      const fault = this.#opening.closed();
      this.#end(fault.code, fault.detail, true);
    } else if (this.#dialect.endIsShutdown && this.#info !== null) this.#end('shutdown', how, true);
    else this.#end(closed ? 'connection-lost' : 'connection-reset', how, true);
  }

  #end(code: FaultCode, detail: string, byPeer: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#opening = null;
    this.#handshakeDeadline?.cancel();
    this.#pacing?.cancel();
    this.#synchronization?.end();
    this.#channel.destroy(this.#overTcp && (this.#anyServer || this.#dialect.queryBeforeEnd !== null));
    this.#host.ended(code, detail);
    for (const command of this.#table.takeAll()) {
      command.execution.settle(this.#lost(command, detail, byPeer));
    }
  }

  #lost(command: InFlight, cause: string, byPeer: boolean): Outcome {
    if (!command.handedOver) return { kind: 'not-sent', cause };
    if (command.refusal !== null) return command.refusal;
    if (byPeer && this.#dialect.silentOnSuccess.has(command.execution.command)) {
      return { kind: 'return', value: Buffer.from(emptyObject) };
    }
    return { kind: 'unknown', cause };
  }
}

function tooLong(bytes: number): Outcome {
  return { kind: 'unknown', cause: `the reply is over ${bytes} bytes`, tooLong: true };
}
