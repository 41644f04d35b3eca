import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { isTokenRecord, type TokenRecord, type TokenStore } from '../../access/tokens/token-store.js';
import { eachAtOnce } from '../directory/node-records.js';
import { BoundedMap } from '../../bounds/bounded-map.js';
import type { FleetBucket } from '../fleet-bucket.js';
import type { FleetLink } from '../fleet-link.js';

/** How often the own file is looked at. */
const lookMs = 200;
/** How often the whole bucket is compared, whatever was heard of it. */
const compareMs = 10_000;
/** Hints come before what they tell of is stored: it is looked for again after these times. */
const hintMs = [20, 150, 600];
/** A token of more than this is none of a gateway. */
const mostBytes = 256 * 1024;
/** Revocations that are remembered, should the bucket lose them; the oldest are forgotten beyond. */
const revokedBound = 100_000;
/** What stands in place of a token that was revoked: for good. */
const tombstone = Buffer.from(JSON.stringify({ revoked: true }));

/** What a node needs to share its tokens. */
export interface FleetTokensParts {
  readonly link: FleetLink;
  readonly bucket: FleetBucket;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * The tokens of all nodes, in a bucket: under the id of each its record, or that it was revoked.
 *
 * A revocation wins over everything, whenever it comes: it is written over whatever is there, and a token is written only
 * where nothing is. Ids are 64 random bits and never given twice, so no later token is meant by it; and it stays in the
 * bucket, as a node that was away for long still has the token in its file. What this node revoked while NATS was away
 * is remembered in that file until the bucket has it. Everything else is only ever added, on both sides, so that the
 * tokens of a node that joins are not lost, nor those of all when somebody removes the bucket. Revocations come back too,
 * from every node that has seen them since its start.
 *
 * Requests are checked against the file alone: it holds while NATS is away and over restarts.
 */
export class FleetTokens {
  #timer: Timer | undefined;
  #stopped = false;
  #stamp = '';
  #seenRevision = -1;
  #compareAt = -Infinity;
  #running: Promise<void> | undefined;
  #heardOn: object | undefined;
  #endHints: (() => void) | undefined;
  readonly #hinted = new Set<string>();
  readonly #revoked = new BoundedMap<string, true>(revokedBound);

  constructor(private readonly parts: FleetTokensParts) {}

  start(): void {
    this.parts.link.observe({
      connected: () => {
        this.#hear();
        this.#compareAt = -Infinity;
        this.#seenRevision = -1;
      },
    });
    this.#plan(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#endHints?.();
  }

  /** Compares the file and the whole bucket, both ways. @throws Error when NATS is away */
  async compare(): Promise<void> {
    const { bucket, tokens, link, log } = this.parts;
    const stamp = tokens.stamp();
    const own = tokens.share();
    const { lastRevision, keys } = await bucket.keys('*');
    const there = await this.#read(keys);
    const told: string[] = [];
    for (const id of own.revoked) told.push(id);
    this.#remember(there, own.revoked);
    const lost = [...this.#revoked.keys()].filter((id) => there.get(id) !== 'revoked');
    await eachAtOnce(lost, async (id) => {
      await bucket.put(id, tombstone);
      there.set(id, 'revoked');
    });
    const again = lost.filter((id) => !own.revoked.includes(id)).length;
    if (again > 0) log.warn({ revocations: again }, 'the fleet had lost revocations of tokens, and has them again');
    const missing = own.records.filter(({ id }) => !there.has(id));
    let written = told.length + lost.length;
    await eachAtOnce(missing, async (record) => {
      const revision = await bucket.create(record.id, Buffer.from(JSON.stringify(record)));
      if (revision !== undefined) written++;
    });
    this.#take(there, told);
    // What was written here is seen once more: nothing that came in between is passed over.
    this.#seenRevision = lastRevision;
    this.#stamp = written > 0 ? '' : stamp;
    this.#compareAt = this.parts.clock.now() + compareMs;
    if (!link.connected) this.#compareAt = -Infinity;
  }

  #remember(there: ReadonlyMap<string, TokenRecord | 'revoked'>, own: readonly string[]): void {
    for (const id of own) this.#revoked.set(id, true);
    for (const [id, entry] of there) if (entry === 'revoked') this.#revoked.set(id, true);
  }

  #hear(): void {
    const { link, bucket } = this.parts;
    if (this.#heardOn === link.connection) return;
    this.#heardOn = link.connection;
    this.#endHints = bucket.onWrite((key) => this.#hint(key));
  }

  #hint(key: string): void {
    // More than a few hints at once say that everything is to be compared.
    if (this.#hinted.size >= 100) this.#compareAt = -Infinity;
    else if (!this.#hinted.has(key)) {
      this.#hinted.add(key);
      void this.#follow(key).finally(() => this.#hinted.delete(key));
    }
  }

  async #follow(key: string): Promise<void> {
    for (const wait of hintMs) {
      await new Promise<void>((resolve) => void this.parts.clock.schedule(wait, resolve));
      if (this.#stopped) return;
      try {
        this.#take(await this.#read([key]), []);
      } catch {
        // The next comparison finds it.
        return;
      }
    }
  }

  #plan(milliseconds: number): void {
    if (this.#stopped) return;
    this.#timer = this.parts.clock.schedule(milliseconds, () => {
      this.#running = this.#look().finally(() => this.#plan(lookMs));
    });
  }

  async #look(): Promise<void> {
    const { link, tokens, bucket, clock, log } = this.parts;
    if (!link.connected) return;
    try {
      const isDue = clock.now() >= this.#compareAt;
      if (tokens.stamp() !== this.#stamp) await this.compare();
      else if (isDue) {
        this.#compareAt = clock.now() + compareMs;
        if ((await bucket.lastRevision()) !== this.#seenRevision) await this.compare();
      }
    } catch (error) {
      if (this.#stopped) return;
      log.warn({ err: error }, 'tokens could not be compared with those of the fleet');
      this.#compareAt = -Infinity;
      await new Promise<void>((resolve) => void clock.schedule(5 * lookMs, resolve));
    }
  }

  /** Ends once what is under way has ended. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #read(ids: readonly string[]): Promise<Map<string, TokenRecord | 'revoked'>> {
    const { bucket, log } = this.parts;
    const there = new Map<string, TokenRecord | 'revoked'>();
    await eachAtOnce(ids, async (id) => {
      const entry = await bucket.get(id);
      if (entry === undefined) return;
      const read = readEntry(id, entry.value);
      if (read === undefined) log.warn({ token: id }, 'the fleet has something under this id that is no token');
      else there.set(id, read);
    });
    return there;
  }

  #take(there: ReadonlyMap<string, TokenRecord | 'revoked'>, told: readonly string[]): void {
    const { tokens, log } = this.parts;
    const added: TokenRecord[] = [];
    const revoked: string[] = [];
    this.#remember(there, []);
    for (const [id, entry] of there) {
      const own = tokens.get(id);
      // One that was revoked is back: the next comparison writes that over it.
      if (entry !== 'revoked' && this.#revoked.has(id)) this.#seenRevision = -1;
      else if (entry === 'revoked') {
        if (own !== undefined) revoked.push(id);
      } else if (own === undefined) added.push(entry);
    }
    if (added.length + revoked.length + told.length === 0) return;
    const changed = tokens.take({ added, revoked, told });
    for (const id of changed.added) log.info({ token: id }, 'a token was made in the fleet');
    for (const id of changed.removed) log.info({ token: id }, 'a token was revoked in the fleet');
  }
}

/** @returns undefined for what is neither a token of this id nor a revocation */
function readEntry(id: string, value: Uint8Array): TokenRecord | 'revoked' | undefined {
  if (value.length > mostBytes) return undefined;
  try {
    const read = JSON.parse(Buffer.from(value).toString()) as unknown;
    if (isTokenRecord(read)) return read.id === id ? read : undefined;
    return (read as { revoked?: unknown } | null)?.revoked === true ? 'revoked' : undefined;
  } catch {
    return undefined;
  }
}
