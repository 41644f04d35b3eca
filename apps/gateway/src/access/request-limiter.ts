import type { CommandAnswer, CommandPath, CommandRequest } from '../commands/command-request.js';
import { Problem } from '../problems/problem.js';

/** Principals with a bucket that is not full; a new one beyond empties the table, which only ever lets more through. */
const mostBuckets = 10_000;

/** What taking one request out of a principal's bucket came to. */
export interface Allowance {
  readonly refusal?: Problem;
  /** `RateLimit-*`, for the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A token bucket for each principal: `perSecond` requests a second, bursts of as many (`limits.requestsPerSecond`). */
export class RequestLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  take(principalId: string): Allowance {
    const { perSecond } = this;
    const now = this.now();
    let bucket = this.#buckets.get(principalId);
    if (bucket === undefined) {
      if (this.#buckets.size >= mostBuckets) this.#buckets.clear();
      bucket = { tokens: perSecond, at: now };
      this.#buckets.set(principalId, bucket);
    }
    const tokens = Math.min(perSecond, bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
    const allowed = tokens >= 1;
    bucket.tokens = allowed ? tokens - 1 : tokens;
    bucket.at = now;
    const headers = {
      'RateLimit-Limit': String(perSecond),
      'RateLimit-Remaining': String(Math.floor(bucket.tokens)),
      'RateLimit-Reset': String(Math.ceil((perSecond - bucket.tokens) / perSecond)),
    };
    if (allowed) return { headers };
    const detail = `These credentials have ${perSecond} requests a second (limits.requestsPerSecond).`;
    return { headers, refusal: new Problem('too-many-requests', detail) };
  }
}

/** Commands that come over a connection count as the requests they would be over HTTP. */
export class LimitedCommandPath implements CommandPath {
  constructor(
    private readonly path: CommandPath,
    private readonly limits: { readonly limiter: RequestLimiter | undefined },
  ) {}

  execute(request: CommandRequest, answer: (answer: CommandAnswer) => void): void {
    const refusal = this.limits.limiter?.take(request.principal.id).refusal;
    if (refusal === undefined) this.path.execute(request, answer);
    else answer({ ok: false, problem: refusal.about({ vm: request.vm, command: request.command }), trace: {} });
  }
}
