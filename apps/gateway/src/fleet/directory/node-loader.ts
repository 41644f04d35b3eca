import { RecordFault, type SnapshotVm } from '@qmp-gateway/fleet-protocol';
import type { ReceivedBatch } from '../fleet-view.js';
import { DirectoryVm } from './directory-vm.js';
import type { BatchArchive, VmChangeReader } from './feed.js';
import { mostWaiting, type NodeEntry } from './node-entry.js';
import type { NodeRecords, NodeSnapshot } from './node-records.js';
import type { Tellings } from './tellings.js';
import type { VmIndex } from './vm-index.js';

/** A record that was written a moment ago may not be at every server yet. */
const attempts = 5;
const firstRetryMs = 40;
/** Batches that are read from the stream to catch up with one node, at most; further behind, the next snapshot has them. */
const mostCaughtUp = 5000;

/** What the loader reads from. */
interface LoaderSources {
  readonly records: NodeRecords;
  readonly archive: BatchArchive | undefined;
  readonly readChange: VmChangeReader;
}

/** Where the VMs are kept, and who hears of them. */
interface LoaderTargets {
  readonly index: VmIndex;
  readonly tellings: Tellings;
}

/** Brings what is known of a node up to date: from its batches where they follow each other, else from its record. */
export class NodeLoader {
  constructor(
    private readonly from: LoaderSources,
    private readonly to: LoaderTargets,
  ) {}

  /**
   * Takes a batch in.
   * @returns `missing` when something before it is: the batch waits, and the record is to be loaded
   */
  take(entry: NodeEntry, batch: ReceivedBatch): 'taken' | 'missing' {
    if (entry.waiting !== undefined) {
      this.#wait(entry.waiting, batch);
      return 'taken';
    }
    if (batch.sentAt === undefined && isBefore(entry, batch)) return 'taken';
    const { snapshot, needed } = batch.fields;
    const isHealed = entry.stale && Number(snapshot) > entry.revision;
    if (follows(entry, batch) && !isHealed && !(Number(needed) > entry.revision)) {
      this.#apply(entry, batch);
      return 'taken';
    }
    entry.stale = true;
    entry.early.push(batch);
    return 'missing';
  }

  /**
   * Reads the record of a node, and what the stream has after it. Batches that come meanwhile wait.
   * @returns false when there is no record
   * @throws RecordFault for one that cannot be read; Error when NATS is away: what was known stays, marked as stale
   */
  async load(entry: NodeEntry): Promise<boolean> {
    const isFirst = entry.run === '';
    entry.waiting = entry.early.splice(0);
    try {
      const snapshot = await this.#read(entry);
      if (snapshot === undefined) {
        // It has no record yet, or none any more: nobody is told of VMs that go at once.
        entry.waiting.length = 0;
        return false;
      }
      const wasSkipped = entry.skipped;
      this.#adopt(entry, snapshot, isFirst);
      await this.#catchUp(entry);
      // The snapshot may have been older than what was told of the VMs.
      if (wasSkipped && !entry.skipped) this.to.tellings.changed(entry.vms.values());
      return true;
    } finally {
      const { waiting } = entry;
      entry.waiting = undefined;
      for (const batch of waiting) this.#applyAnyway(entry, batch);
    }
  }

  #wait(waiting: ReceivedBatch[], batch: ReceivedBatch): void {
    // The gap that this leaves is found when the next one is applied.
    if (waiting.length >= mostWaiting) waiting.length = 0;
    waiting.push(batch);
  }

  async #read(entry: NodeEntry): Promise<NodeSnapshot | undefined> {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === attempts;
      try {
        const snapshot = await this.from.records.read(entry.node);
        const wanted = entry.waiting?.findLast(({ fields }) => typeof fields['snapshot'] === 'number');
        const isOld = (snapshot?.revision ?? 0) < Number(wanted?.fields['snapshot'] ?? 0);
        if (!isOld || isLast) return snapshot;
      } catch (error) {
        if (!(error instanceof RecordFault) || isLast) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, firstRetryMs * attempt));
    }
  }

  #adopt(entry: NodeEntry, { record, revision, stored, vms }: NodeSnapshot, isFirst: boolean): void {
    entry.version = record.version;
    entry.speaks = record.speaks;
    entry.heard = Math.max(entry.heard, stored);
    if (record.isClaim) {
      // The node is there again, or anew: until it says what its VMs are, they are as they were.
      entry.revision = revision;
      entry.stale = true;
      return;
    }
    const isBehind = record.run === entry.run && record.number < entry.number;
    const needed = entry.waiting?.some(({ fields }) => Number(fields['needed']) > entry.revision) === true;
    const heals = entry.skipped && revision > entry.revision;
    if (!isBehind || needed || heals) {
      const present = new Set<string>();
      for (const vm of vms) {
        present.add(vm.id);
        this.#set(entry, vm, !isFirst);
      }
      for (const id of [...entry.vms.keys()]) if (!present.has(id)) this.#delete(entry, id, true);
      entry.run = record.run;
      entry.number = record.number;
      entry.sequence = record.sequence;
      entry.stale = false;
      entry.skipped = false;
    }
    entry.revision = revision;
  }

  /** Reads from the stream what is between the record and what waits, or the newest batch there is. */
  async #catchUp(entry: NodeEntry): Promise<void> {
    const { archive } = this.from;
    if (archive === undefined) return;
    const first = entry.waiting?.find((batch) => batch.run === entry.run);
    const newest = first ?? (await archive.last(entry.node));
    if (newest?.run !== entry.run) return;
    const until = first === undefined ? newest.last : first.first - 1;
    for (let read = 0; read < mostCaughtUp && entry.number < until; read++) {
      const batch = await archive.next(entry.node, entry.sequence);
      if (batch === undefined || batch.sequence > newest.sequence) break;
      if (batch.run === entry.run && !follows(entry, batch)) break;
      if (batch.run === entry.run) this.#apply(entry, batch);
      else entry.sequence = batch.sequence;
    }
    entry.stale = entry.skipped || entry.number < until;
  }

  /** A batch that waited: with a gap before it, what it says is still true. */
  #applyAnyway(entry: NodeEntry, batch: ReceivedBatch): void {
    const { run, first, fields } = batch;
    if (isBefore(entry, batch) && !(Number(fields['snapshot']) > entry.revision)) return;
    if (!follows(entry, batch)) entry.stale = entry.skipped = true;
    if (run !== entry.run) entry.number = first - 1;
    entry.run = run;
    this.#apply(entry, batch);
  }

  #apply(entry: NodeEntry, batch: ReceivedBatch): void {
    for (const [at, line] of batch.lines.entries())
      if (batch.run !== entry.run || batch.first + at > entry.number) this.#applyLine(entry, line);
    entry.number = Math.max(entry.number, batch.last);
    entry.sequence = batch.sequence;
  }

  #applyLine(entry: NodeEntry, line: string): void {
    const change = this.from.readChange(line);
    if (change?.kind === 'changed') this.#set(entry, change, false);
    else if (change?.kind === 'removed') this.#delete(entry, change.id, false);
  }

  /** @param tells whether the stream did not say it */
  #set(entry: NodeEntry, vm: SnapshotVm, tells: boolean): void {
    const known = entry.vms.get(vm.id);
    if (known === undefined) {
      const added = new DirectoryVm(vm, entry);
      entry.vms.set(vm.id, added);
      this.to.index.add(added);
      if (tells) this.to.tellings.changed([added]);
    } else if (known.become(vm) && tells) this.to.tellings.changed([known]);
  }

  #delete(entry: NodeEntry, id: string, tells: boolean): void {
    const vm = entry.vms.get(id);
    if (vm === undefined) return;
    entry.vms.delete(id);
    this.to.index.delete(vm);
    if (tells) this.to.tellings.removed(vm, this.to.index.find(id)[0]);
  }
}

/** Whether the VMs of the entry are what they were just before the batch, or the batch adds something to them. */
function follows(entry: NodeEntry, { run, first }: ReceivedBatch): boolean {
  return run === entry.run && first <= entry.number + 1;
}

/** Whether the batch is of another run and from an earlier place than what is known: streams are read again. */
function isBefore(entry: NodeEntry, { run, sequence }: ReceivedBatch): boolean {
  return run !== entry.run && sequence <= entry.sequence;
}
