import type { SnapshotVm } from '@qmp-gateway/fleet-protocol';
import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import type { OwnEvents } from './feed.js';
import { NameClaim, type ClaimParts } from './name-claim.js';
import type { NodeFacts, NodeRecords } from './node-records.js';

/** A change waits no longer for a snapshot; until then it is in the stream only. */
const oldestChangeMs = 30_000;
/** From the place of a snapshot entries read on in the stream: it must not be too far back. */
const oldestSnapshotMs = 300_000;
/** So many changes are worth a snapshot at once, or an eighth of the VMs if that is more. */
const fewestChanges = 16;
/** Between two snapshots, or ten times as long as the last one took. */
const restMs = 1000;
const lookMs = 250;

/** Whether this node is one of its fleet. */
export type Membership =
  | 'joining'
  | 'joined'
  /** Another node of the fleet has its name. */
  | 'name-taken'
  /** This release cannot read the record that stands under its name. */
  | 'foreign-record'
  | 'left';

/** What the record is made of. */
export interface OwnRecordParts extends ClaimParts {
  readonly records: NodeRecords;
  readonly version: string;
  readonly events: OwnEvents;
  /** All VMs as they were last told in events. */
  readonly vms: () => readonly SnapshotVm[];
  readonly vmCount: () => number;
  /** The record was written, and entries that know an older one should hear of it. */
  readonly written?: () => void;
  /** The newest place of the stream of events; 0 where there is none yet. @throws Error when NATS is away */
  readonly streamEnd: () => Promise<number>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/**
 * The record of this node: it claims the name, keeps a snapshot of the VMs there, and takes both away at the goodbye.
 * Everything is done by one task, one step after the other.
 */
export class OwnRecord {
  readonly #claim: NameClaim;
  readonly #listeners: ((membership: Membership) => void)[] = [];
  #membership: Membership = 'joining';
  #revision = 0;
  /** Of the last snapshot that holds what the stream never had; entries with an older one read it. */
  #needed = 0;
  #slot: 0 | 1 = 0;
  /** The newest place of the stream when this run joined: it sent nothing before. */
  #joinedAt = 0;
  #written = false;
  #changes = 0;
  #firstChangeAt = Infinity;
  #droppedBefore = 0;
  #restUntil = -Infinity;
  #writtenAt = -Infinity;
  #checkAt = -Infinity;
  #timer: Timer | undefined;
  #wake: () => void = () => undefined;
  #task: Promise<void> | undefined;
  #leaving = false;
  #fault: string | undefined;

  constructor(private readonly parts: OwnRecordParts) {
    this.#claim = new NameClaim(parts);
  }

  /** Why the last step failed, in words; undefined while all is well. */
  get fault(): string | undefined {
    return this.#fault;
  }

  get membership(): Membership {
    return this.#membership;
  }

  /** Called at each change from now on. */
  onMembership(listener: (membership: Membership) => void): void {
    this.#listeners.push(listener);
  }

  /** What the header of each of this node's batches says of it, so that entries know whether they have its snapshot. */
  heartbeatFields(): Readonly<Record<string, unknown>> {
    const { version } = this.parts;
    const snapshot = this.#revision === 0 ? {} : { snapshot: this.#revision };
    return { version, speaks: [1], ...snapshot, ...(this.#needed === 0 ? {} : { needed: this.#needed }) };
  }

  /** A VM was added, changed or removed, and the event of it has its number. */
  changed(): void {
    this.#changes++;
    if (this.#firstChangeAt === Infinity) this.#firstChangeAt = this.parts.clock.now();
  }

  /** Begins to join; the name may be had at once or never. */
  start(): void {
    this.#task ??= this.#run();
  }

  /** Says goodbye: the record is removed, and entries are told. Ends within the deadline of the last request. */
  async leave(): Promise<void> {
    this.#leaving = true;
    this.#wake();
    await this.#task;
    if (this.#revision !== 0) {
      try {
        await this.#removeRecord();
      } catch (error) {
        this.parts.log.warn({ err: error }, 'the record of this node stays: NATS did not take the goodbye');
      }
    }
    this.#become('left');
  }

  async #removeRecord(): Promise<void> {
    const { link, records } = this.parts;
    if (!(await records.remove(link.node, this.#revision))) {
      // A write whose answer was lost may have been done.
      const head = await records.head(link.node);
      if (head?.record.run !== link.run || !(await records.remove(link.node, head.revision))) return;
    }
    link.connection.publish(link.subjects.goodbye(link.node));
  }

  async #run(): Promise<void> {
    while (!this.#leaving) {
      let pauseMs = lookMs;
      try {
        if (this.parts.link.connected) pauseMs = await this.#step();
        this.#fault = undefined;
      } catch (error) {
        this.#fault = (error as Error).message;
        this.parts.log.warn({ err: error }, 'the record of this node could not be kept');
        pauseMs = restMs;
      }
      await this.#pause(pauseMs);
    }
  }

  /** @returns how long the next step has time */
  async #step(): Promise<number> {
    if (this.#revision === 0) {
      const claimed = await this.#claim.attempt(() => this.#leaving);
      if (claimed.kind !== 'had') {
        this.#become(claimed.kind);
        // Attempts that had to wait have done so.
        return this.parts.link.settings.unreachableAfter;
      }
      this.#joinedAt = await this.parts.streamEnd();
      this.#revision = claimed.revision;
      this.#written = false;
    }
    if (this.#isDue()) await this.#write();
    else if (this.parts.clock.now() >= this.#checkAt) await this.#check();
    return lookMs;
  }

  #isDue(): boolean {
    const { clock, events } = this.parts;
    const now = clock.now();
    if (!this.#written || events.dropped !== this.#droppedBefore) return now >= this.#restUntil;
    if (now < this.#restUntil) return false;
    if (now - this.#writtenAt >= oldestSnapshotMs) return true;
    if (this.#changes === 0) return false;
    if (now - this.#firstChangeAt >= oldestChangeMs) return true;
    return this.#changes >= Math.max(fewestChanges, this.parts.vmCount() / 8);
  }

  /** Not before the first snapshot is this node joined: what it sends then finds its VMs known. */
  async #write(): Promise<void> {
    const { records, link, clock, events } = this.parts;
    const began = clock.now();
    const { dropped } = events;
    const [changes, vms] = [this.#changes, this.parts.vms()];
    const slot = this.#slot === 0 ? 1 : 0;
    // The position and the VMs are of one moment: nothing is awaited before both are read.
    const prepared = await records.prepare(this.#facts(), vms, slot);
    const revision = await records.update(link.node, prepared, this.#revision);
    const now = clock.now();
    this.#restUntil = now + Math.max(restMs, 10 * (now - began));
    if (revision === undefined) return this.#check();
    this.#revision = revision;
    this.#slot = slot;
    // Whoever read the record between the claim and now has no VMs of it.
    if (!this.#written || dropped !== this.#droppedBefore) this.#needed = revision;
    this.#written = true;
    this.#writtenAt = began;
    this.#droppedBefore = dropped;
    this.#changes -= changes;
    this.#firstChangeAt = this.#changes === 0 ? Infinity : began;
    this.#planCheck();
    this.#become('joined');
    if (this.#needed === revision) this.parts.written?.();
  }

  /** Whether the record is still this node's. What was removed is written anew; what another run wrote is that one's. */
  async #check(): Promise<void> {
    const { records, link, log } = this.parts;
    const head = await records.head(link.node);
    this.#planCheck();
    if (head?.record.run === link.run) {
      if (head.revision !== this.#revision) this.#written = false;
      this.#revision = head.revision;
    } else if (head === undefined) {
      this.#revision = 0;
      this.#become('joining');
    } else {
      this.#claim.lose();
      log.error({ node: link.node }, 'another node of the fleet has taken the name of this one');
      this.#become('name-taken');
    }
  }

  #planCheck(): void {
    this.#checkAt = this.parts.clock.now() + this.parts.link.settings.unreachableAfter;
  }

  #facts(): NodeFacts {
    const { link, events, version } = this.parts;
    const sequence = events.acknowledged || this.#joinedAt;
    return { ...this.#claim.facts(version), node: link.node, number: events.last, sequence, isClaim: false };
  }

  #become(membership: Membership): void {
    if (membership === this.#membership) return;
    this.#membership = membership;
    if (membership !== 'joined') this.#revision = 0;
    const { node, settings } = this.parts.link;
    const what = { node, fleet: settings.name };
    if (membership === 'joined') this.parts.log.info(what, 'joined the fleet');
    if (membership === 'name-taken' || membership === 'foreign-record')
      this.parts.log.error(
        { ...what, code: 'node-name-taken' },
        'this node cannot join: its name is taken in the fleet',
      );
    for (const listener of this.#listeners) listener(membership);
  }

  #pause(milliseconds: number): Promise<void> {
    if (this.#leaving) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#timer?.cancel();
        resolve();
      };
      this.#timer = this.parts.clock.schedule(milliseconds, resolve);
    });
  }
}
