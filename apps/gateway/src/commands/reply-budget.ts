import type { ServerResponse } from 'node:http';
import { Problem } from '../problems/problem.js';
import type { Limits } from '../settings/settings.js';

/** Answers smaller than this fit in socket buffers and are not worth counting. */
const countedFrom = 64 * 2 ** 10;

/**
 * Bytes of answers that wait for slow HTTP readers, in all. The VM's side is always read, so this memory is the
 * gateway's; past the bound new commands are refused until readers catch up.
 */
export class ReplyBudget {
  #waiting = 0;

  constructor(private readonly limits: Pick<Limits, 'replyBytes'>) {}

  get refusal(): Problem | undefined {
    const { replyBytes } = this.limits;
    if (this.#waiting <= replyBytes) return undefined;
    return new Problem('too-many-requests', `Over ${replyBytes} bytes of answers wait to be read (limits.replyBytes).`);
  }

  /** Counts an answer from now until it was handed to the kernel or its reader left. */
  count(response: ServerResponse, bytes: number): void {
    if (bytes < countedFrom || response.destroyed) return;
    this.#waiting += bytes;
    let counted = true;
    const release = () => {
      if (counted) this.#waiting -= bytes;
      counted = false;
    };
    response.once('finish', release).once('close', release);
  }
}
