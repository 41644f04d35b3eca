import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { AgentSynchronization } from './agent-synchronization.js';
import { readError } from './bounded-parts.js';
import type { Clock, Timer } from './clock.js';
import type { KnownDialect } from './dialects/dialects.js';
import type { Execution } from './execution.js';
import type { LastErrorCode } from './last-error.js';
import { GreetingOpening } from './greeting-opening.js';
import { readGreeting, type Greeting } from './greeting.js';
import type { InFlight } from './in-flight.js';
import { skipSpace } from './json-scan.js';
import { endBytes, overlongLine, type OverlongLine } from './line-splitter.js';
import { MessageChannel, type OutgoingMessage } from './message-channel.js';
import { MessageIds } from './message-ids.js';
import { checkedBytes, MessageScanner, type Span } from './message.js';
import type { Opening, OpeningFailure } from './opening.js';
import { copyOut } from './own-bytes.js';
import { serverBounds } from './server-bounds.js';
import type { SessionInfo } from './session-info.js';
import { emptyObject, SessionCommands, tooLong, type CommandSession } from './session-commands.js';
import { SessionEvents } from './session-events.js';
import type { SessionHost, SessionOptions } from './session-host.js';
import { SyncOpening } from './sync-opening.js';

const replyHead = Buffer.from('{"return":');

/** QMP over one connection, from connect to its end: opening, ids, execution, events. */
export class Session implements CommandSession {
  readonly #host: SessionHost;
  readonly #clock: Clock;
  readonly #channel: MessageChannel;
  readonly #ids: MessageIds;
  readonly #scanner = new MessageScanner();
  readonly #commands: SessionCommands;
  #dialect: KnownDialect;
  #opening: Opening | null;
  #handshakeDeadline: Timer | null;
  /** Null for peers that greet, which need no synchronizing. */
  readonly #synchronization: AgentSynchronization | null;
  #info: SessionInfo | null = null;
  readonly #events: SessionEvents;
  #ended = false;
  readonly overTcp: boolean;
  /** The server is not known yet: it may be one that does not survive a plain close. */
  #anyServer: boolean;

  constructor(socket: Socket, host: SessionHost, options: SessionOptions) {
    const { dialect, detect, transport, clock } = options;
    const tls = transport === 'tls';
    this.overTcp = transport === 'tcp';
    this.#anyServer = detect;
    this.#host = host;
    this.#clock = clock;
    this.#ids = new MessageIds(randomBytes(8).toString('hex'), options.numbers);
    this.#events = new SessionEvents(host, clock);
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
        wanted: {
          always: serverBounds.unaskedLine.most,
          now: () => this.#commands.table.answerBytes(options.lineBytes),
        },
        gathers: () => this.#dialect.gathers,
        lastByteApart: tls,
        descriptorPassage: transport === 'unix' ? options.descriptorPassage : undefined,
      },
    );
    this.#commands = new SessionCommands(this, { channel: this.#channel, ids: this.#ids }, clock, dialect);
    this.#synchronization = dialect.greets ? null : this.#synchronizeWith(clock, options.handshakeTimeoutMs);
    const side = {
      sendRaw: (bytes: Buffer) => this.#channel.sendRaw(bytes),
      request: (execution: Execution) => this.#send(execution),
      useDialect: (chosen: KnownDialect) => this.#useDialect(chosen),
      opened: (greeting: Greeting | null, oob: boolean) => this.#opened(greeting, oob),
      fail: (failure: OpeningFailure) => this.end(failure.code, failure.detail),
    };
    this.#opening = dialect.greets ? new GreetingOpening(side, dialect, detect, tls) : new SyncOpening(side);
    this.#handshakeDeadline = clock.schedule(options.handshakeTimeoutMs, () => {
      const failure = this.#opening?.timedOut();
      if (failure !== undefined) this.end(failure.code, failure.detail);
    });
    this.#opening.begin();
  }

  /** Null until negotiated. */
  get info(): SessionInfo | null {
    return this.#info;
  }

  get inFlight(): number {
    return this.#commands.table.inBand;
  }

  /** Free in-band places; 0 until negotiated and after the end. */
  get places(): number {
    if (this.#info === null || this.#ended || this.#synchronization?.pending === true) return 0;
    return Math.max(0, this.#dialect.window - this.#commands.table.inBand);
  }

  /** Milliseconds for which the oldest in-band command has been unanswered; null if there is none. */
  get oldestAge(): number | null {
    const oldest = this.#commands.table.oldestInBand();
    return oldest === undefined ? null : this.#clock.now() - oldest.since;
  }

  /** Negotiated, and not ended. */
  get isOpen(): boolean {
    return this.#info !== null && !this.#ended;
  }

  answered(): void {
    this.#host.answered();
  }

  quitAnswered(): void {
    this.#events.quitAnswered();
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

  /** A command was given up: synchronizes with a guest agent before the next one. Other peers match replies by id. */
  resynchronize(): void {
    if (this.#info !== null && !this.#ended && this.#commands.table.inBand > 0) this.#synchronization?.begin();
  }

  /** Ends the session from this side: commands handed over are unknown, the others not sent. */
  end(code: LastErrorCode, detail: string): void {
    this.#end(code, detail, false);
  }

  #send(execution: Execution): void {
    const sent = this.#commands.send(execution);
    if (sent !== undefined && this.#dialect.silentOnSuccess.has(execution.command)) this.#synchronization?.follow(sent);
  }

  #synchronizeWith(clock: Clock, intervalMs: number): AgentSynchronization {
    const session = {
      send: (message: OutgoingMessage) => this.#channel.send(message),
      sendRaw: (bytes: Buffer) => this.#channel.sendRaw(bytes),
      confirmed: (command: InFlight) => {
        if (this.#commands.table.has(command))
          this.#commands.settle(command, { kind: 'return', value: Buffer.from(emptyObject) });
      },
      synchronized: () => {
        for (const command of this.#commands.table.handedOver())
          this.#commands.settle(command, { kind: 'unknown', cause: 'the agent never answered it' });
        this.#host.answered();
      },
      silent: () => this.#host.silent(),
    };
    return new AgentSynchronization(session, clock, intervalMs);
  }

  #useDialect(dialect: KnownDialect): void {
    this.#dialect = dialect;
    this.#commands.useDialect(dialect);
  }

  #opened(greeting: Greeting | null, oob: boolean): void {
    this.#opening = null;
    this.#handshakeDeadline?.cancel();
    this.#handshakeDeadline = null;
    if (this.#dialect.ids === 'number') this.#ids.useNumbers();
    const info: SessionInfo = {
      nonce: this.#ids.nonce,
      greeting,
      dialect: this.#dialect.name,
      window: this.#dialect.window,
      oob,
      negotiatedAt: this.#clock.wall(),
    };
    this.#info = info;
    this.#events.opened(info);
  }

  /** A method, because the field may change in a callback, which narrowing does not see. */
  #hasEnded(): boolean {
    return this.#ended;
  }

  /** A message of a peer can at most end its own session, whatever the owner does with it. */
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
      this.#returned(this.#commands.table.get(this.#ids.number), line, this.#ids.value, owned);
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
      if (kind === 'event') {
        const { event } = this.#scanner;
        if (!this.#events.take(line, this.#scanner)) this.#unintelligible(line, event.start, event.end);
      } else if (kind === 'greeting') this.#greeting(line.toString('utf8', at, this.#scanner.end));
      else this.#reply(kind, line, owned);
      at = next;
    }
  }

  /**
   * Scanning a long line takes 2 ms per MiB, during which nobody else has a turn. Such a line is either a reply with
   * its members in an order that no known server uses, or the reply of a guest.
   */
  #isWorthScanning(line: Buffer, start: number): boolean {
    return this.#dialect.byGuest || this.#ids.find(line.subarray(start, start + endBytes)) >= 0;
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

  #reply(kind: 'return' | 'error', line: Buffer, owned: boolean): void {
    const { id } = this.#scanner;
    if (id.start < 0 && this.#dialect.replies === 'id') {
      this.#replyWithoutId(kind);
      return;
    }
    // The agent's error about the 0xFF that it found stray.
    if (id.start < 0 && kind === 'error' && this.#synchronization?.pending === true) return;
    const command =
      id.start < 0
        ? this.#commands.table.oldestInBand()
        : this.#commands.table.get(this.#ids.read(line, id.start, id.end));
    if (kind === 'return') this.#returned(command, line, this.#scanner.return, owned);
    else this.#refused(command, line, this.#scanner.error);
    // A peer could send such lines as long as a reply is due.
    if (command === undefined && line.length > serverBounds.unaskedLine.most)
      this.end('protocol-error', 'a long answer to no command');
  }

  /**
   * All messages of this side have ids, so an error without one means that the server could not parse a message, or
   * that a former client sent a command without an id. Only the first can happen after negotiation while a reply is
   * due.
   */
  #replyWithoutId(kind: 'return' | 'error'): void {
    this.#host.anomaly('reply-without-id', kind);
    if (kind === 'return' || this.#info === null) return;
    this.#commands.abandonOldest('the server answered with an error that names no command');
    this.end('protocol-error', 'an error without id');
  }

  #returned(command: InFlight | undefined, line: Buffer, span: Span, owned: boolean): void {
    if (command === undefined) {
      this.#host.anomaly('foreign-reply', `${span.end - span.start} bytes`);
      return;
    }
    const { answerBytes = Infinity } = command.execution;
    if (span.end - span.start > answerBytes) {
      this.#commands.settle(command, tooLong(answerBytes));
      return;
    }
    const part = line.subarray(span.start, span.end);
    // A part of a larger buffer would keep all of it alive.
    const value = owned && part.length * 2 >= line.length ? part : copyOut(part);
    this.#commands.settle(command, { kind: 'return', value });
  }

  #refused(command: InFlight | undefined, line: Buffer, span: Span): void {
    if (command === undefined) {
      this.#host.anomaly('foreign-reply', `error of ${span.end - span.start} bytes`);
      return;
    }
    this.#commands.settle(command, { kind: 'error', ...readError(line, span) });
  }

  #unintelligible(line: Buffer, start: number, end: number): void {
    const command = this.#commands.table.get(this.#ids.readAtEnd(line, start, end));
    this.#host.anomaly('unintelligible-line', `${end - start} bytes`);
    if (command !== undefined) {
      this.#commands.settle(command, { kind: 'unknown', cause: 'the reply is not JSON' });
    } else if (this.#opening !== null) {
      this.#opening.unintelligible(line, start, end);
    } else if (this.#commands.table.inBand > 0) {
      this.#commands.abandonOldest('the server sent a line that is not QMP, perhaps the reply');
      this.end('protocol-error', 'a line that is not QMP');
    }
  }

  /**
   * A reply has its id at one of its ends; without an id it belongs to the oldest command only if the dialect's replies
   * have none.
   */
  #overlong({ limit, length, head, tail }: OverlongLine): void {
    const named =
      this.#commands.table.get(this.#ids.readAtEnd(tail, 0, tail.length)) ??
      this.#commands.table.get(this.#ids.find(head));
    const isOrdered = this.#dialect.replies === 'order' && this.#opening === null;
    const command = named ?? (isOrdered ? this.#commands.table.oldestInBand() : undefined);
    if (command !== undefined) {
      this.#host.anomaly('overlong-line', `${length} bytes in answer to ${command.execution.command}`);
      this.#commands.settle(command, tooLong(limit));
    } else {
      const isReply = head.subarray(0, replyHead.length).equals(replyHead);
      this.#host.anomaly(isReply ? 'foreign-reply' : 'overlong-line', `${length} bytes`);
    }
  }

  #disconnected(error: NodeJS.ErrnoException | null): void {
    // Whether this side wrote once more before it read the peer's end is chance, and says nothing about the peer.
    const closed = error === null || error.code === 'EPIPE';
    const how = closed ? 'the peer closed the connection' : (error.code ?? error.message);
    if (this.#events.shutdownSeen || this.#commands.table.awaits('quit')) this.#end('shutdown', 'the VM ended', true);
    else if (this.#opening !== null && closed) {
      const failure = this.#opening.closed();
      this.#end(failure.code, failure.detail, true);
    } else if (this.#dialect.endIsShutdown && this.#info !== null) this.#end('shutdown', how, true);
    else this.#end(closed ? 'connection-lost' : 'connection-reset', how, true);
  }

  #end(code: LastErrorCode, detail: string, byPeer: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.end();
    this.#opening = null;
    this.#handshakeDeadline?.cancel();
    this.#commands.stop();
    this.#synchronization?.end();
    this.#channel.destroy(this.overTcp && (this.#anyServer || this.#dialect.queryBeforeEnd !== null));
    this.#host.ended(code, detail);
    this.#commands.loseAll(detail, byPeer);
  }
}
