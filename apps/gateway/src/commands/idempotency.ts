import { hash } from 'node:crypto';
import { ownBytes } from '@qmp-gateway/qmp';
import { Problem } from '../problems/problem.js';
import type { CommandAnswer, CommandRequest } from './command-request.js';

interface Entry {
  readonly bodyHash: string;
  readonly started: number;
  answer: CommandAnswer | undefined;
}

const keptMs = 10 * 60_000;
const maxEntries = 10_000;
const maxBytes = 64 * 2 ** 20;

/**
 * `Idempotency-Key`: the same key of one principal for one VM and command is run once. Kept in memory for ten minutes;
 * past 10,000 keys or 64 MiB of answers the oldest are forgotten early.
 */
export class IdempotencyStore {
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Claims the key of a request.
   *
   * @param replay gets the stored answer when the key was used before and its command is done
   * @returns what to call with the answer of the first run (and again with the late one after a deadline), or undefined
   *   when it was replayed
   * @throws Problem `idempotency-in-progress`, `idempotency-mismatch`
   */
  begin(
    request: CommandRequest,
    json: string | undefined,
    replay: (answer: CommandAnswer) => void,
  ): ((answer: CommandAnswer) => void) | undefined {
    if (request.idempotencyKey === undefined) return ignore;
    this.#expire();
    const key = [request.principal.id, request.vm, request.command, request.idempotencyKey].join('\n');
    const bodyHash = hash('sha256', json ?? '', 'base64');
    const present = this.#entries.get(key);
    if (present !== undefined) {
      if (present.bodyHash !== bodyHash)
        throw new Problem('idempotency-mismatch', 'This Idempotency-Key was used with other arguments.');
      if (present.answer === undefined || isPending(present.answer))
        throw new Problem('idempotency-in-progress', 'The first command with this Idempotency-Key has no outcome yet.');
      const { answer } = present;
      replay({ ...answer, trace: { ...answer.trace, replayed: true } });
      return undefined;
    }
    const entry: Entry = { bodyHash, started: this.now(), answer: undefined };
    this.#entries.set(key, entry);
    return (answer) => {
      if (this.#entries.get(key) !== entry) return;
      // Nothing was done, so that a retry must run.
      if (!answer.ok && answer.problem.outcome === 'not-sent') {
        this.#forget(key);
        return;
      }
      this.#bytes += sizeOf(answer) - (entry.answer === undefined ? 0 : sizeOf(entry.answer));
      entry.answer = kept(answer);
      this.#expire();
    };
  }

  #expire(): void {
    const oldest = this.now() - keptMs;
    for (const [key, { started }] of this.#entries) {
      if (started > oldest && this.#entries.size <= maxEntries && this.#bytes <= maxBytes) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const answer = this.#entries.get(key)?.answer;
    if (answer !== undefined) this.#bytes -= sizeOf(answer);
    this.#entries.delete(key);
  }
}

function ignore(): void {
  // Without a key there is nothing to keep.
}

/** A deadline passed while the command goes on. */
function isPending(answer: CommandAnswer): boolean {
  return !answer.ok && answer.problem.code === 'deadline-exceeded';
}

/** Ten thousand answers that each kept the chunk they arrived in would be no 64 MiB. */
function kept(answer: CommandAnswer): CommandAnswer {
  return answer.ok && Buffer.isBuffer(answer.json) ? { ...answer, json: ownBytes(answer.json) } : answer;
}

function sizeOf(answer: CommandAnswer): number {
  return answer.ok ? answer.json.length : 500;
}
