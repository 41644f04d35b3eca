import type { Opening, OpeningFailure, OpeningSession } from './opening.js';
import { SyncRequest } from './sync-request.js';

/**
 * Synchronizes with a guest agent: 0xFF ends a message that a former client left incomplete, and the answer to
 * `guest-sync-delimited` is distinct from pending answers to other clients.
 */
export class SyncOpening implements Opening {
  readonly #session: OpeningSession;
  readonly #request = new SyncRequest();

  constructor(session: OpeningSession) {
    this.#session = session;
  }

  begin(): void {
    this.#session.sendRaw(this.#request.flushing);
  }

  claim(line: Buffer, start: number, end: number): boolean {
    if (this.#request.answeredBy(line, start, end)) this.#session.opened(null, false);
    return true;
  }

  greeted(): void {
    // Only in lines, all of which this opening claims.
  }

  unintelligible(): void {
    // As above.
  }

  timedOut(): OpeningFailure {
    return { code: 'agent-silent', detail: 'guest-sync-delimited was not answered: the agent is not running' };
  }

  closed(): OpeningFailure {
    return { code: 'connection-lost', detail: 'closed before the agent answered guest-sync-delimited' };
  }
}
