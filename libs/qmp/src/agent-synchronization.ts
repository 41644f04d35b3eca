import type { Clock, Timer } from './clock.js';
import type { InFlight } from './in-flight.js';
import type { OutgoingMessage } from './message-channel.js';
import { isSyncAnswer, SyncRequest } from './sync-request.js';

/** What synchronizing tells its session, and sends through it. */
export interface SynchronizingSession {
  send(message: OutgoingMessage): void;
  sendRaw(bytes: Buffer): void;
  /** The agent took up what came after this command and had no error to tell: it was done. */
  confirmed(command: InFlight): void;
  /** What was handed over before and is unanswered never will be. */
  synchronized(): void;
  /** The agent has not answered for a while. */
  silent(): void;
}

/**
 * `guest-sync-delimited` inside a session with a guest agent. The agent does one thing after the other, so its answer
 * says that everything before is over:
 *
 * - behind a command that is silent on success, it is the success;
 * - after a deadline, it says that no late reply can follow and be taken for that of the next command. An agent that was
 *   started anew lost the request with the command, so it is asked again and again, each time under another id: only the
 *   answer to the last one ends it, and nothing that belongs to the ones before is left to come.
 */
export class AgentSynchronization {
  #fence: { readonly request: SyncRequest; readonly command: InFlight } | null = null;
  #request: SyncRequest | null = null;
  #again: Timer | null = null;

  constructor(
    private readonly session: SynchronizingSession,
    private readonly clock: Clock,
    /** Milliseconds from one request to the next, when it is not answered. */
    private readonly intervalMs: number,
  ) {}

  /** No command may be sent now. */
  get pending(): boolean {
    return this.#request !== null;
  }

  /** Sends a request right behind a command that does not answer when it succeeds. */
  follow(command: InFlight): void {
    const request = new SyncRequest();
    this.#fence = { request, command };
    this.session.send({ text: request.text, handingOver: () => undefined });
    this.#watch(() => this.session.silent());
  }

  /** A command was given up: nothing more is sent before the agent is known to be done with it. */
  begin(): void {
    if (this.#request === null) this.#ask();
  }

  /** @returns whether the line was the answer to a request, be it an old one. */
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

  /** Waits for nothing any more. */
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
