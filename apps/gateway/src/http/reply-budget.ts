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
  /** Of each answer that has some. */
  readonly #held = new WeakMap<ServerResponse, number>();

  constructor(private readonly limits: Pick<Limits, 'replyBytes'>) {}

  get refusal(): Problem | undefined {
    const { replyBytes } = this.limits;
    if (this.#waiting <= replyBytes) return undefined;
    return new Problem('too-many-requests', `Over ${replyBytes} bytes of answers wait to be read (limits.replyBytes).`);
  }

  /** Counts an answer, or a part of one, from now until it was handed to the kernel or its reader left. */
  count(response: ServerResponse, bytes: number): void {
    if (bytes < countedFrom || response.destroyed) return;
    const held = this.#held.get(response);
    this.#hold(response, (held ?? 0) + bytes);
    if (held !== undefined) return;
    const release = () => this.#hold(response, 0);
    response.once('finish', release).once('close', release);
  }

  /** A part that was counted has been handed to the kernel, before the rest of its answer. */
  taken(response: ServerResponse, bytes: number): void {
    const held = this.#held.get(response) ?? 0;
    if (bytes >= countedFrom && held > 0) this.#hold(response, held - bytes);
  }

  #hold(response: ServerResponse, bytes: number): void {
    this.#waiting += bytes - (this.#held.get(response) ?? 0);
    this.#held.set(response, bytes);
  }
}
