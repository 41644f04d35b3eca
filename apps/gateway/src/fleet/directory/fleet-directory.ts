import { RecordFault } from '@qmp-gateway/fleet-protocol';
import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import type { FleetLink } from '../fleet-link.js';
import type { FleetView, NodeSight, ReceivedBatch } from '../fleet-view.js';
import type { DirectoryVm } from './directory-vm.js';
import type { BatchArchive, BatchFeed, VmChangeReader } from './feed.js';
import { NodeEntry } from './node-entry.js';
import { NodeLoader } from './node-loader.js';
import { eachAtOnce, type NodeRecords } from './node-records.js';
import { Tellings } from './tellings.js';
import { VmIndex, type VmPlace } from './vm-index.js';

/** Looks for silent nodes within the time after which they are. */
const looksWithinSilence = 10;
/** A look that comes so late says that this process stood still, not that others did. */
const lateLooks = 3;
/** After a goodbye the record is looked for once more. */
const laterMs = 1000;

/** What a directory is made of. */
export interface DirectoryParts {
  readonly link: FleetLink;
  readonly records: NodeRecords;
  readonly feed: BatchFeed;
  /** Undefined: what was missed is had with the next snapshot only. */
  readonly archive: BatchArchive | undefined;
  readonly readChange: VmChangeReader;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * All nodes of the fleet and their VMs, as an entry knows them: the snapshot of each node, and after it what the stream
 * says. Between the two nothing is missed or done twice, as a node numbers its events and its snapshot names the last
 * one that is in it. Everything is in memory: 100,000 VMs take some 200 MB.
 */
export class FleetDirectory implements FleetView {
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #vms = new VmIndex();
  readonly #tellings = new Tellings();
  readonly #loader: NodeLoader;
  readonly #everyMs: number;
  #timer: Timer | undefined;
  #lookedAt = 0;
  #refreshing: Promise<void> | undefined;
  #refreshAt = -Infinity;
  #endGoodbyes: (() => void) | undefined;
  #heardOn: object | undefined;
  #loaded = false;

  constructor(private readonly parts: DirectoryParts) {
    this.#everyMs = Math.max(20, parts.link.settings.unreachableAfter / looksWithinSilence);
    this.#loader = new NodeLoader(parts, { index: this.#vms, tellings: this.#tellings });
    parts.feed.onBatch((batch) => this.#received(batch));
    parts.link.observe({ connected: () => this.#listen() });
  }

  /** What this node found out by itself, not from the stream: for its own events. */
  get tellings(): Tellings {
    return this.#tellings;
  }

  start(): void {
    this.#lookedAt = this.parts.clock.now();
    this.#plan();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#endGoodbyes?.();
  }

  /** Whether the records of all nodes were read once. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  find(id: string): readonly DirectoryVm[] {
    return this.#vms.find(id);
  }

  node(name: string): NodeSight | undefined {
    const entry = this.#nodes.get(name);
    // Its record is being read.
    return entry?.revision === 0 ? undefined : entry;
  }

  /** All other nodes. */
  nodes(): NodeEntry[] {
    return [...this.#nodes.values()].filter(({ revision }) => revision !== 0);
  }

  /** In the order of lists. */
  all(): IterableIterator<DirectoryVm> {
    return this.#vms.after();
  }

  /** In the order of lists, behind a place. */
  after(place: VmPlace | undefined): IterableIterator<DirectoryVm> {
    return this.#vms.after(place);
  }

  get size(): number {
    return this.#vms.size;
  }

  /**
   * Takes away the record of a node that nobody hears, here and at all entries. One that is there after all writes it anew.
   * @throws Error when NATS is away
   */
  async remove(name: string): Promise<void> {
    const { link, records } = this.parts;
    await records.remove(name);
    link.connection.publish(link.subjects.goodbye(name));
    const entry = this.#nodes.get(name);
    if (entry !== undefined) this.#forget(entry);
  }

  /** Reads the records of nodes that are not known, not heard, or of which something was missed. */
  refresh(): Promise<void> {
    return (this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined)));
  }

  async #refresh(): Promise<void> {
    const { link, records, clock, log } = this.parts;
    this.#refreshAt = clock.now() + link.settings.unreachableAfter;
    try {
      const names = new Set([...(await records.names()), ...this.#nodes.keys()]);
      names.delete(link.node);
      const wanted = [...names].filter((name) => {
        const entry = this.#nodes.get(name);
        return entry === undefined || entry.stale || !entry.reachable;
      });
      await eachAtOnce(wanted, (name) => this.#load(name));
      this.#loaded = true;
    } catch (error) {
      log.warn({ err: error }, 'the records of the nodes could not be read');
    }
  }

  #received(batch: ReceivedBatch): void {
    const { node, run, sentAt } = batch;
    if (node === this.parts.link.node) return;
    let entry = this.#nodes.get(node);
    if (entry === undefined) {
      // What the stream kept of a node says nothing of whether it is there now.
      if (sentAt === undefined) return;
      entry = new NodeEntry(node, this.parts.clock, this.parts.clock.wall());
      this.#nodes.set(node, entry);
    }
    if (sentAt !== undefined) entry.hear(sentAt, run);
    if (this.#loader.take(entry, batch) === 'missing') this.#loadSoon(node);
    this.#reach(entry);
  }

  /** It was not heard, and is: with the VMs of the run that is heard, not with those of the one before. */
  #reach(entry: NodeEntry): void {
    const { unreachableAfter } = this.parts.link.settings;
    if (entry.reachable || !entry.isHeardAsKnown || entry.silentMs >= unreachableAfter) return;
    entry.reachable = true;
    this.parts.log.info({ node: entry.node }, 'a node is heard again');
    this.#tellings.changed(entry.vms.values());
  }

  #loadSoon(name: string): void {
    // What could not be read stays stale, and is read with the next look at all records.
    this.#load(name).catch((error: unknown) => {
      this.parts.log.warn({ err: error, node: name }, 'the record of a node could not be read');
    });
  }

  /** @throws Error when NATS is away */
  async #load(name: string): Promise<void> {
    const { clock, log } = this.parts;
    let entry = this.#nodes.get(name);
    if (entry?.waiting !== undefined) {
      entry.again = true;
      return;
    }
    if (entry === undefined) this.#nodes.set(name, (entry = new NodeEntry(name, clock, 0)));
    try {
      if (await this.#loader.load(entry)) this.#reach(entry);
      else this.#forget(entry);
    } catch (error) {
      if (entry.revision === 0) this.#forget(entry);
      if (!(error instanceof RecordFault)) throw error;
      log.warn({ err: error, node: name }, 'the record of a node could not be read');
    }
    if (!entry.again) return;
    entry.again = false;
    await this.#load(name);
  }

  /** It said goodbye, or was removed. */
  #forget(entry: NodeEntry): void {
    if (this.#nodes.get(entry.node) === entry) this.#nodes.delete(entry.node);
    for (const vm of entry.vms.values()) {
      this.#vms.delete(vm);
      this.#tellings.removed(vm, this.#vms.find(vm.id)[0]);
    }
    entry.vms.clear();
  }

  #listen(): void {
    const { link } = this.parts;
    if (this.#heardOn !== link.connection) {
      this.#heardOn = link.connection;
      const prefix = link.subjects.goodbye('');
      const subscription = link.connection.subscribe(link.subjects.allGoodbyes, {
        callback: (_, { subject }) => this.#goodbye(subject.slice(prefix.length).replaceAll('=', '.')),
      });
      this.#endGoodbyes = () => subscription.unsubscribe();
    }
    void this.refresh();
  }

  /** A hint only: what counts is that its record is gone. */
  #goodbye(name: string): void {
    const entry = this.#nodes.get(name);
    if (entry === undefined) return;
    entry.stale = true;
    this.#loadSoon(name);
    // The server that is asked may hear of the removal after the nodes.
    this.parts.clock
      .schedule(laterMs, () => {
        if (this.#nodes.has(name)) this.#loadSoon(name);
      })
      .unref();
  }

  #plan(): void {
    this.#timer = this.parts.clock.schedule(this.#everyMs, () => {
      this.#look();
      this.#plan();
    });
  }

  #look(): void {
    const { link, clock, log } = this.parts;
    const now = clock.now();
    const isLate = now - this.#lookedAt > lateLooks * this.#everyMs;
    this.#lookedAt = now;
    if (isLate) return;
    for (const entry of this.#nodes.values()) {
      if (!entry.reachable || entry.silentMs < link.settings.unreachableAfter) continue;
      entry.reachable = false;
      entry.silentSince = clock.wall();
      log.warn({ node: entry.node, vms: entry.vms.size }, 'a node is not heard any more');
      this.#tellings.changed(entry.vms.values());
    }
    if (link.connected && now >= this.#refreshAt) void this.refresh();
  }
}
