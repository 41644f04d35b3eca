import type { Clock, Timer } from './clock.js';
import { withoutWhiteSpace } from './compact-json.js';
import type { KnownDialect } from './dialects/dialects.js';
import type { Execution, Settlement } from './execution.js';
import { InFlight, InFlightTable } from './in-flight.js';
import type { MessageChannel } from './message-channel.js';
import type { MessageIds } from './message-ids.js';
import { isReadable } from './readable.js';
import { TokenBucket } from './token-bucket.js';

/** The session that commands are of. */
export interface CommandSession {
  /** Negotiated, and not ended. */
  readonly isOpen: boolean;
  readonly overTcp: boolean;
  /** An in-band place became free. */
  answered(): void;
  /** `quit` was answered: the end of the connection will be that of the VM. */
  quitAnswered(): void;
}

/** A server that throttles gets the command again after this time, so many times. */
const retryAfterMs = 25;
const retries = 20;

/** Value of a command that is answered only when it fails, once it is known that it did not. */
export const emptyObject = Buffer.from('{}');

/** The commands of one session, from `execute` to their outcomes: written in the dialect's pace, settled exactly once. */
export class SessionCommands {
  readonly table = new InFlightTable();
  /**
   * In the order they came: one with descriptors while another's are at the server, which keeps only those that came last,
   * and the in-band commands behind it, which may be about what it passes. Bounded by the window.
   */
  #waiting: InFlight[] = [];
  #passing: InFlight | undefined;
  #dialect: KnownDialect;
  #bucket: TokenBucket | null;
  #pacing: Timer | null = null;
  /** A failed command waits for its {@link Dialect.queryBeforeEnd}. */
  #querying = false;

  constructor(
    private readonly session: CommandSession,
    private readonly wire: { readonly channel: MessageChannel; readonly ids: MessageIds },
    private readonly clock: Clock,
    dialect: KnownDialect,
  ) {
    this.#dialect = dialect;
    this.#bucket = bucketOf(dialect, clock);
  }

  useDialect(dialect: KnownDialect): void {
    this.#dialect = dialect;
    this.#bucket = bucketOf(dialect, this.clock);
  }

  /** @returns undefined for a command that was settled at once, as it can't be sent */
  send(execution: Execution): InFlight | undefined {
    const { command, argumentsJson = '' } = execution;
    if (!isReadable(command) || !isReadable(argumentsJson)) {
      execution.settle({ kind: 'unreadable' });
      return undefined;
    }
    if (execution.descriptors !== undefined && !this.wire.channel.passesDescriptors) {
      execution.settle({ kind: 'not-sent', cause: 'this connection passes no descriptors' });
      return undefined;
    }
    const number = this.wire.ids.next((taken) => this.table.get(taken) !== undefined);
    const text = this.#message(execution, number);
    const limit = this.#dialect.messageBytes;
    if (limit !== null && Buffer.byteLength(text) > limit) {
      execution.settle({ kind: 'too-large', limit });
      return undefined;
    }
    const inFlight = new InFlight(number, text, execution, this.clock);
    const { descriptors } = execution;
    if (descriptors !== undefined)
      inFlight.descriptors = this.#dialect.lastDescriptorOnly ? descriptors.slice(-1) : descriptors;
    this.table.add(inFlight);
    if (this.#mustWait(inFlight)) this.#waiting.push(inFlight);
    else this.#begin(inFlight);
    return inFlight;
  }

  #mustWait(command: InFlight): boolean {
    if (command.descriptors !== undefined && this.#passing !== undefined) return true;
    return command.inBand && this.#waiting.length > 0;
  }

  #begin(command: InFlight): void {
    if (command.descriptors !== undefined) this.#passing = command;
    this.#transmit(command, 0);
  }

  /** What the server got with it is taken, or of no use any more. */
  #passed(command: InFlight): void {
    if (command !== this.#passing) return;
    this.#passing = undefined;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.descriptors !== undefined && this.#isPassing) return;
      this.#waiting.shift();
      this.#begin(next);
    }
  }

  /** A method, because `#begin` changes the field, which narrowing does not see. */
  get #isPassing(): boolean {
    return this.#passing !== undefined;
  }

  /** Its outcome came, or is known by other ways; in QMP's own terms it may mean that the command is sent again. */
  settle(command: InFlight, settlement: Settlement): void {
    const meaning = this.#dialect.interpret(settlement, command.execution.command);
    if (meaning === null && command.attempts < retries) {
      command.attempts++;
      command.refusal = settlement;
      this.#transmit(command, retryAfterMs);
      return;
    }
    this.table.delete(command);
    this.#passed(command);
    if (settlement.kind === 'error' && this.#query(command, meaning ?? settlement)) return;
    if (settlement.kind === 'return' && command.execution.command === 'quit') this.session.quitAnswered();
    command.execution.settle(meaning ?? settlement);
    if (command.inBand && this.session.isOpen) this.session.answered();
  }

  /** In-band replies come in order, so what cannot be attributed belongs to the oldest command. */
  abandonOldest(cause: string): void {
    const oldest = this.table.oldestInBand();
    if (oldest !== undefined) this.settle(oldest, { kind: 'unknown', cause });
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#pacing?.cancel();
  }

  /** The session is over: settles what is unanswered. @param byPeer the server closed the connection */
  loseAll(cause: string, byPeer: boolean): void {
    this.wire.ids.leave(this.table.handedOver().map(({ number }) => number));
    this.#waiting = [];
    for (const command of this.table.takeAll()) command.execution.settle(this.#lost(command, cause, byPeer));
  }

  /** The shortest text that says it: servers may take long over each byte. */
  #message({ command, argumentsJson, outOfBand }: Execution, number: number): string {
    const verb = outOfBand === true ? 'exec-oob' : 'execute';
    const args = argumentsJson === undefined ? '' : `,"arguments":${withoutWhiteSpace(argumentsJson)}`;
    return `{"${verb}":${JSON.stringify(command)}${args},"id":${this.wire.ids.text(number)}}${this.#dialect.terminator}`;
  }

  #transmit(command: InFlight, delay: number): void {
    const wait = Math.max(delay, this.#bucket?.take(this.clock.now()) ?? 0);
    if (wait === 0) {
      this.wire.channel.send(command);
      return;
    }
    this.#pacing = this.clock.schedule(wait, () => {
      this.#pacing = null;
      this.wire.channel.send(command);
    });
  }

  /**
   * After a failed command, for a server that needs it: its error is passed on when the query is over, and its place is
   * free then. @returns whether the query was sent
   */
  #query({ execution }: InFlight, failure: Settlement): boolean {
    const query = this.session.overTcp && this.session.isOpen ? this.#dialect.queryBeforeEnd : null;
    if (query === null || this.#querying) return false;
    this.#querying = true;
    this.send({
      command: query,
      settle: () => {
        this.#querying = false;
        execution.settle(failure);
      },
    });
    return true;
  }

  #lost(command: InFlight, cause: string, byPeer: boolean): Settlement {
    if (!command.handedOver) return { kind: 'not-sent', cause };
    if (command.refusal !== null) return command.refusal;
    if (byPeer && this.#dialect.silentOnSuccess.has(command.execution.command)) {
      return { kind: 'return', value: Buffer.from(emptyObject) };
    }
    return { kind: 'unknown', cause };
  }
}

/** The outcome of a command whose reply is longer than what is taken. */
export function tooLong(bytes: number): Settlement {
  return { kind: 'unknown', cause: `the reply is over ${bytes} bytes`, tooLong: true };
}

function bucketOf({ rate }: KnownDialect, clock: Clock): TokenBucket | null {
  return rate === null ? null : new TokenBucket(rate, clock.now());
}
