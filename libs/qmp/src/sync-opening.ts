import { randomInt } from 'node:crypto';
import type { Opening, OpeningFault, OpeningSession } from './opening.js';

const sentinel = 0xff;

/**
 * Synchronizes with a guest agent: 0xFF ends a message a former client left half written, and the agent puts 0xFF
 * before the answer to `guest-sync-delimited`, so that what it had still to say to others is told apart.
 */
export class SyncOpening implements Opening {
  readonly #session: OpeningSession;
  readonly #id = randomInt(2 ** 47);

  constructor(session: OpeningSession) {
    this.#session = session;
  }

  begin(): void {
    const message = `{"execute":"guest-sync-delimited","arguments":{"id":${this.#id}}}\n`;
    this.#session.sendRaw(Buffer.concat([Buffer.of(sentinel), Buffer.from(message)]));
  }

  claim(line: Buffer, start: number, end: number): boolean {
    const mark = line.subarray(start, end).lastIndexOf(sentinel);
    if (mark < 0) return true;
    const match = /^\{\s*"return"\s*:\s*([0-9]+)\s*\}\s*$/.exec(line.toString('latin1', start + mark + 1, end));
    if (match?.[1] === String(this.#id)) this.#session.opened(null, false);
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
