import type { Clock, Timer } from './clock.js';
import type { InFlight } from './in-flight.js';
import type { OutgoingMessage } from './message-channel.js';
import { isSyncAnswer, SyncRequest } from './sync-request.js';

/** The part of a session that synchronizing needs. */
export interface SynchronizingSession {
  send(message: OutgoingMessage): void;
  sendRaw(bytes: Buffer): void;
  /** The agent answered the request after this command and sent no error before: the command succeeded. */
  confirmed(command: InFlight): void;
  /** Commands handed over before and still unanswered will never be answered. */
  synchronized(): void;
  /** The agent has not answered for some time. */
  silent(): void;
}

/**
 * `guest-sync-delimited` inside a session with a guest agent. The agent processes one message after the other, so its
 * answer proves that it has finished everything before:
 *
 * - after a command that is silent on success, the answer means success;
 * - after a deadline, it means that no late reply can follow and be mistaken for the reply to the next command. A
 *   restarted agent has lost the request together with the command, so the request is repeated, each time with another
 *   id: only the answer to the last one completes synchronizing, and then no answer to an earlier one can follow.
 */
export class AgentSynchronization {
  #fence: { readonly request: SyncRequest; readonly command: InFlight } | null = null;
  #request: SyncRequest | null = null;
  #again: Timer | null = null;

  constructor(
    private readonly session: SynchronizingSession,
    private readonly clock: Clock,
    /** Milliseconds between requests while the agent does not answer. */
    private readonly intervalMs: number,
  ) {}

  /** True while no command may be sent. */
  get pending(): boolean {
    return this.#request !== null;
  }

  /** Sends a request right after a command that does not answer on success. */
  follow(command: InFlight): void {
    const request = new SyncRequest();
    this.#fence = { request, command };
    this.session.send({ text: request.text, handingOver: () => undefined });
    this.#watch(() => this.session.silent());
  }

  /** A command was given up: sends nothing more until the agent has finished it. */
  begin(): void {
    if (this.#request === null) this.#ask();
  }

  /** @returns whether the line answers a request, including an earlier one. */
  claim(line: Buffer, start: number, end: number): boolean {
    if (!isSyncAnswer(line, start)) return false;
    if (this.#fence?.request.answeredBy(line, start, end) === true) {
      const { command } = this.#fence;
      this.#fence = null;
      if (this.#request === null) this.#again?.cancel();
      this.session.confirmed(command);
    } else if (this.#request?.answeredBy(line, start, end) === true) {
      this.end();
      this.session.synchronized();
    }
    return true;
  }

  /** Stops waiting. */
  end(): void {
    this.#again?.cancel();
    this.#fence = null;
    this.#request = null;
  }

  #ask(): void {
    this.#request = new SyncRequest();
    this.session.sendRaw(this.#request.flushing);
    this.#watch(() => {
      this.session.silent();
      this.#ask();
    });
  }

  #watch(late: () => void): void {
    this.#again?.cancel();
    this.#again = this.clock.schedule(this.intervalMs, late);
  }
}
