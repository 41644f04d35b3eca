import type { Opening, OpeningFault, OpeningSession } from './opening.js';
import { SyncRequest } from './sync-request.js';

/**
 * Synchronizes with a guest agent: 0xFF ends a message a former client left half written, and the answer to
 * `guest-sync-delimited` is told apart from what the agent had still to say to others.
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
    // Only in lines, and those are all claimed.
  }

  unintelligible(): void {
    // As above.
  }

  timedOut(): OpeningFault {
    return { code: 'agent-silent', detail: 'guest-sync-delimited was not answered: the agent is not running' };
  }

  closed(): OpeningFault {
    return { code: 'connection-lost', detail: 'closed before the agent answered guest-sync-delimited' };
  }
}
