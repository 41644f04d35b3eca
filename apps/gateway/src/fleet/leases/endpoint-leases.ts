import { createHash } from 'node:crypto';
import { parseEndpoint, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import type { VmLeases } from '../../vms/vm-leases.js';
import { eachAtOnce } from '../directory/node-records.js';
import type { BucketEntry, FleetBucket } from '../fleet-bucket.js';

/** How often it is looked what is due. */
const lookMs = 250;
/** A lease is looked at so often by a node that waits for it. */
const watchMs = 1000;
/** Of the holder's time: another node waits so much longer, as two clocks do not run alike. */
const patience = 1.25;

/** What leases need to know of this node. */
export interface LeaseParts {
  readonly bucket: Pick<FleetBucket, 'get' | 'create' | 'update' | 'remove'>;
  readonly node: string;
  readonly run: string;
  /** Of the state directory: an earlier run of it is over, or was meant to be. */
  readonly identity: string;
  /** Milliseconds that a lease holds from its last renewal on. */
  readonly leaseMs: number;
  /** The endpoints that this node shares with others, each with the VM that has it. */
  shared(): ReadonlyMap<string, string>;
  /** This node may dial the endpoint from now on, or may not any more: what it dialled has to end. */
  changed(endpoint: string): void;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

interface Holder {
  readonly node: string;
  readonly run: string;
  readonly identity: string;
}

/** A lease that this node has. */
interface HeldLease {
  /** The revision with which it began. */
  readonly since: number;
  revision: number;
  /** Monotonic milliseconds. */
  renewAt: number;
  /** Given up at its end, whatever NATS says by then. */
  end: Timer;
}

/** A lease of another node, as this one saw it. */
interface SeenLease {
  readonly revision: number;
  readonly at: number;
}

/**
 * Leases of endpoints that several nodes could dial: one of them does. Whoever writes the entry of an endpoint has it, and
 * every write names the revision it replaces, so of two at once one fails.
 *
 * No clock of another machine is trusted. The holder counts from before it sent its last renewal, and gives up at the
 * end of its time without asking anybody; whoever waits counts from when it saw that renewal, which is later, and takes
 * a quarter more. A renewal that failed may still have been written: then the entry has this run's name, and the next
 * look finds it.
 */
export class EndpointLeases implements VmLeases {
  readonly #held = new Map<string, HeldLease>();
  readonly #seen = new Map<string, SeenLease>();
  readonly #lookAt = new Map<string, number>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly parts: LeaseParts) {}

  held(endpoint: string): number | undefined {
    return this.#held.get(endpoint)?.since;
  }

  start(): void {
    this.#plan(0);
  }

  /** Gives back what is held: what was dialled has ended. Without NATS the leases end by themselves. */
  async release(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
    const held = [...this.#held];
    this.#held.clear();
    await eachAtOnce(held, async ([endpoint, { revision, end }]) => {
      end.cancel();
      await this.parts.bucket.remove(leaseKey(endpoint), revision).catch(() => false);
    });
  }

  #plan(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.parts.clock.schedule(ms, () => {
      this.#running = this.#look().finally(() => this.#plan(lookMs));
    });
  }

  async #look(): Promise<void> {
    const shared = this.parts.shared();
    for (const endpoint of [...this.#held.keys()])
      if (!shared.has(endpoint)) await this.#giveBack(endpoint).catch(() => undefined);
    for (const known of [this.#seen, this.#lookAt])
      for (const endpoint of [...known.keys()]) if (!shared.has(endpoint)) known.delete(endpoint);
    const now = this.parts.clock.now();
    const due = [...shared.keys()].filter(
      (endpoint) => now >= (this.#held.get(endpoint)?.renewAt ?? this.#due(endpoint)),
    );
    await eachAtOnce(due, async (endpoint) => {
      try {
        await (this.#held.has(endpoint) ? this.#renew(endpoint) : this.#tryToTake(endpoint));
      } catch {
        // NATS is away: what is held ends in time, and the rest is looked at again.
      }
    });
  }

  #due(endpoint: string): number {
    return this.#lookAt.get(endpoint) ?? -Infinity;
  }

  async #giveBack(endpoint: string): Promise<void> {
    const lease = this.#held.get(endpoint);
    if (lease === undefined) return;
    this.#drop(endpoint);
    await this.parts.bucket.remove(leaseKey(endpoint), lease.revision);
  }

  async #renew(endpoint: string): Promise<void> {
    const { bucket, clock } = this.parts;
    const lease = this.#held.get(endpoint);
    if (lease === undefined) return;
    const before = clock.now();
    lease.renewAt = before + watchMs;
    const revision = await bucket.update(leaseKey(endpoint), this.#value(), lease.revision);
    // Its time may have ended meanwhile: then it is taken anew, or not at all.
    if (this.#held.get(endpoint) !== lease) return;
    if (revision !== undefined) this.#extend(endpoint, lease, before, revision);
    else await this.#afterOtherRevision(endpoint, lease);
  }

  /** Another has taken it, or a renewal that seemed to fail was written. */
  async #afterOtherRevision(endpoint: string, lease: HeldLease): Promise<void> {
    const entry = await this.parts.bucket.get(leaseKey(endpoint));
    if (this.#held.get(endpoint) !== lease) return;
    if (entry !== undefined && holderOf(entry)?.run === this.parts.run) {
      lease.revision = entry.revision;
      lease.renewAt = -Infinity;
    } else {
      this.#drop(endpoint);
      this.parts.log.warn({ endpoint }, 'lease lost: another node has taken it');
    }
  }

  async #tryToTake(endpoint: string): Promise<void> {
    const { bucket, clock } = this.parts;
    this.#lookAt.set(endpoint, clock.now() + Math.min(watchMs, this.parts.leaseMs / 4));
    const entry = await bucket.get(leaseKey(endpoint));
    const now = clock.now();
    if (entry !== undefined && !this.#isOver(endpoint, entry, now)) return;
    const before = clock.now();
    const key = leaseKey(endpoint);
    const revision =
      entry === undefined
        ? await bucket.create(key, this.#value())
        : await bucket.update(key, this.#value(), entry.revision);
    if (revision === undefined || this.#stopped) return;
    this.#seen.delete(endpoint);
    const lease: HeldLease = { since: revision, revision, renewAt: 0, end: clock.schedule(0, () => undefined) };
    this.#held.set(endpoint, lease);
    this.#extend(endpoint, lease, before, revision);
    // All of its time had gone before the answer came.
    if (this.#held.get(endpoint) !== lease) return;
    this.parts.log.info({ endpoint, lease: revision }, 'lease taken');
    this.parts.changed(endpoint);
  }

  /** Whether nobody has what another once took. */
  #isOver(endpoint: string, entry: BucketEntry, now: number): boolean {
    const holder = holderOf(entry);
    if (holder?.run === this.parts.run || holder?.identity === this.parts.identity) return true;
    const seen = this.#seen.get(endpoint);
    if (seen?.revision !== entry.revision) {
      this.#seen.set(endpoint, { revision: entry.revision, at: now });
      return false;
    }
    return now - seen.at >= this.parts.leaseMs * patience;
  }

  #extend(endpoint: string, lease: HeldLease, before: number, revision: number): void {
    const { clock, leaseMs } = this.parts;
    lease.end.cancel();
    lease.revision = revision;
    lease.renewAt = before + leaseMs / 3;
    const leftMs = before + leaseMs - clock.now();
    if (leftMs <= 0) {
      this.#drop(endpoint);
      return;
    }
    lease.end = clock.schedule(leftMs, () => {
      if (this.#held.get(endpoint) !== lease) return;
      this.#drop(endpoint);
      this.parts.log.warn({ endpoint }, 'lease ended: NATS did not confirm it in time');
    });
  }

  #drop(endpoint: string): void {
    this.#held.get(endpoint)?.end.cancel();
    if (this.#held.delete(endpoint)) this.parts.changed(endpoint);
  }

  #value(): Uint8Array {
    const { node, run, identity } = this.parts;
    return Buffer.from(JSON.stringify({ v: 1, node, run, identity } satisfies Holder & { v: number }));
  }
}

/** One key for each place in the network, however its endpoint is written. */
export function leaseKey(endpoint: string): string {
  const parsed = parseEndpoint(endpoint);
  const place = 'host' in parsed ? `${parsed.host.toLowerCase()}:${parsed.port}` : endpoint;
  return createHash('sha256').update(place).digest('hex').slice(0, 40);
}

/** Undefined for what no node wrote. */
function holderOf({ value }: BucketEntry): Holder | undefined {
  try {
    const { node, run, identity } = JSON.parse(Buffer.from(value).toString()) as Partial<Record<keyof Holder, unknown>>;
    return typeof node === 'string' && typeof run === 'string' && typeof identity === 'string'
      ? { node, run, identity }
      : undefined;
  } catch {
    return undefined;
  }
}
