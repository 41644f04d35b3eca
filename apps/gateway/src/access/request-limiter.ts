import { systemClock, TokenBucket, type Clock } from '@qmp-gateway/qmp';
import { BoundedMap } from '../bounds/bounded-map.js';
import { Problem } from '../problems/problem.js';

/** Principals with a bucket; whose bucket is forgotten gets a full one, which only ever lets more through. */
const mostBuckets = 10_000;

/** The result of taking one request out of a principal's bucket. */
export interface Allowance {
  readonly refusal?: Problem;
  /** `RateLimit-*`, for the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A token bucket for each principal: `perSecond` requests a second, bursts of as many (`limits.requestsPerSecond`). */
export class RequestLimiter {
  readonly #buckets = new BoundedMap<string, TokenBucket>(mostBuckets);

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock = systemClock,
  ) {}

  take(principalId: string): Allowance {
    const { perSecond } = this;
    const now = this.clock.now();
    let bucket = this.#buckets.get(principalId);
    if (bucket === undefined) {
      bucket = new TokenBucket({ perSecond, burst: perSecond }, now);
      this.#buckets.set(principalId, bucket);
    }
    const allowed = bucket.tryTake(now);
    const { tokens } = bucket;
    const headers = {
      'RateLimit-Limit': String(perSecond),
      'RateLimit-Remaining': String(Math.floor(tokens)),
      'RateLimit-Reset': String(Math.ceil((perSecond - tokens) / perSecond)),
    };
    if (allowed) return { headers };
    const detail = `These credentials have ${perSecond} requests a second (limits.requestsPerSecond).`;
    return { headers, refusal: new Problem('too-many-requests', detail) };
  }
}
