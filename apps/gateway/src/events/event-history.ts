import type { Audience } from './audience.js';
import type { EventRecord, Gap, SourceSnapshot } from './event-record.js';
import { FairBuffer, type Bounds, type VmQueue } from './fair-buffer.js';
import { visitInOrder, type Sequence } from './in-order.js';
import { formatCursor } from './cursor.js';

/** What was dropped of one VM: the number of the last event, also by name, and by the labels the VM had. */
interface Loss {
  n: number;
  readonly byLabels: Map<string, { n: number; source: SourceSnapshot }>;
  readonly byName: Map<string, number>;
}

export type Delivery =
  | { readonly kind: 'event'; readonly n: number; readonly event: EventRecord; readonly coalesced?: number }
  | { readonly kind: 'gap'; readonly n: number; readonly gap: Gap };

/** Names told apart in a loss; beyond it a VM's loss counts for every name. */
const lostNamesBound = 256;
/** Labels told apart in a loss; beyond it the labels are not remembered. */
const lostLabelsBound = 64;
/** VMs whose losses are told apart although none of their events are kept any more. */
const pastVmsBound = 10_000;

/** The newest events of all VMs, in bounds that are fair per VM, readable from any position for any audience. */
export class EventHistory {
  #run: string;
  #buffer: FairBuffer<EventRecord>;
  readonly #losses = new Map<string, Loss>();
  /** Everything up to here may be lost, for VMs that are not remembered. */
  #floor = 0;

  constructor(run: string, bounds: Bounds) {
    this.#run = run;
    this.#buffer = new FairBuffer<EventRecord>(bounds, (event) => this.#lose(event));
  }

  /** Forgets everything: the numbers belong to another run from now on, and all up to and including `lost` is gone. */
  restart(run: string, lost: number): void {
    this.#run = run;
    this.#buffer = new FairBuffer<EventRecord>(this.#buffer.bounds, (event) => this.#lose(event));
    this.#losses.clear();
    this.#floor = lost;
  }

  /** Something up to and including this number is missing, and it is not known of which VM. */
  loseUpTo(n: number): void {
    this.#floor = Math.max(this.#floor, n);
  }

  get count(): number {
    return this.#buffer.count;
  }

  get bytes(): number {
    return this.#buffer.bytes;
  }

  append(event: EventRecord): void {
    if (event.leftOut === true) this.#buffer.skip(event);
    else this.#buffer.push(event);
  }

  /** The earliest position after which nothing this audience wants is lost. */
  oldestFor(audience: Audience): number {
    let oldest = this.#floor;
    for (const [, loss] of this.#lossesOf(audience)) oldest = Math.max(oldest, lostFor(audience, loss));
    return oldest;
  }

  /** The position before the first kept event that was received then or later; undefined where none was. */
  positionBefore(receivedAt: number): number | undefined {
    let first = Infinity;
    for (const queue of this.#buffer.queues.values()) {
      const event = queue.at(queue.firstWhere((each) => each.receivedAt >= receivedAt));
      if (event !== undefined) first = Math.min(first, event.n);
    }
    return first === Infinity ? undefined : first - 1;
  }

  /** Losses as they are now, for a reader that accepts them. */
  acceptedLosses(audience: Audience): ReadonlyMap<string | null, number> {
    const accepted = new Map<string | null, number>([[null, this.#floor]]);
    for (const [vm, loss] of this.#lossesOf(audience)) accepted.set(vm, lostFor(audience, loss));
    return accepted;
  }

  /**
   * What comes after `after`, in order, with a gap where something this audience wanted is kept no longer (but for
   * the accepted losses).
   * @param take gets each delivery; false leaves it for the next read
   */
  read(
    audience: Audience,
    after: number,
    accepted: ReadonlyMap<string | null, number> | undefined,
    take: (delivery: Delivery) => boolean,
  ): void {
    const sequences: Sequence<Delivery>[] = [];
    const addGap = (vm: string | null, lost: number): void => {
      if (lost > Math.max(after, accepted?.get(vm) ?? 0)) {
        const from = formatCursor(this.#run, after);
        sequences.push(new OneDelivery({ kind: 'gap', n: lost, gap: { n: lost, vm, from, missed: null } }));
      }
    };
    addGap(null, this.#floor);
    for (const [vm, loss] of this.#lossesOf(audience)) addGap(vm, lostFor(audience, loss));
    for (const [, queue] of ofVm(this.#buffer.queues, audience.filter.vm))
      sequences.push(new HistorySequence(queue, audience, after));
    visitInOrder(sequences, take);
  }

  #lossesOf(audience: Audience): Iterable<readonly [string, Loss]> {
    return ofVm(this.#losses, audience.filter.vm);
  }

  #lose(event: EventRecord): void {
    const vm = event.source.id;
    let loss = this.#losses.get(vm);
    if (loss === undefined) {
      loss = { n: event.n, byLabels: new Map(), byName: new Map() };
      this.#losses.set(vm, loss);
      if (this.#losses.size > pastVmsBound) this.#forgetPastVms();
    }
    const { labelsKey } = event.source;
    if (loss.byLabels.size >= lostLabelsBound && !loss.byLabels.has(labelsKey)) {
      this.#floor = Math.max(this.#floor, loss.n);
      loss.byLabels.clear();
    }
    loss.n = event.n;
    loss.byLabels.set(labelsKey, { n: event.n, source: event.source });
    if (loss.byName.size < lostNamesBound || loss.byName.has(event.name)) loss.byName.set(event.name, event.n);
  }

  #forgetPastVms(): void {
    for (const [vm, loss] of this.#losses)
      if (!this.#buffer.queues.has(vm)) {
        this.#floor = Math.max(this.#floor, loss.n);
        this.#losses.delete(vm);
      }
  }
}

/** The entry of one VM, or all entries when none is named. */
function ofVm<T>(entries: ReadonlyMap<string, T>, vm: string | undefined): Iterable<readonly [string, T]> {
  if (vm === undefined) return entries;
  const one = entries.get(vm);
  return one === undefined ? [] : [[vm, one]];
}

/** Number of the last lost event that this audience may have wanted; 0 if there is none. */
function lostFor(audience: Audience, { byLabels, byName }: Loss): number {
  let seen = 0;
  for (const { n, source } of byLabels.values()) if (n > seen && audience.wantsSource(source)) seen = n;
  if (seen === 0 || audience.filter.events.length === 0 || byName.size >= lostNamesBound) return seen;
  let named = 0;
  for (const [name, last] of byName) if (last > named && audience.wantsName(name)) named = last;
  return Math.min(seen, named);
}

class OneDelivery implements Sequence<Delivery> {
  #next: Delivery | undefined;

  constructor(delivery: Delivery) {
    this.#next = delivery;
  }

  peek(): Delivery | undefined {
    return this.#next;
  }

  advance(): void {
    this.#next = undefined;
  }
}

/** What an audience wants of one VM's queue, found as it is asked for. */
class HistorySequence implements Sequence<Delivery> {
  #next: Delivery | undefined;
  #index: number;

  constructor(
    private readonly queue: VmQueue<EventRecord>,
    private readonly audience: Audience,
    after: number,
  ) {
    this.#index = queue.indexAfter(after) - 1;
    this.advance();
  }

  peek(): Delivery | undefined {
    return this.#next;
  }

  advance(): void {
    for (;;) {
      const event = this.queue.at(++this.#index);
      if (event === undefined) {
        this.#next = undefined;
        return;
      }
      if (this.audience.wantsSource(event.source) && this.audience.wants(event)) {
        this.#next = { kind: 'event', n: event.n, event };
        return;
      }
    }
  }
}
