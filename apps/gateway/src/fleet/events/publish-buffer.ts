import type { Clock } from '@qmp-gateway/qmp';
import { BoundedMap } from '../../bounds/bounded-map.js';
import type { EventRecord } from '../../events/event-record.js';
import { FairBuffer, type Kept, type VmQueue } from '../../events/fair-buffer.js';
import { visitInOrder, type Sequence } from '../../events/in-order.js';
import { eventLine, gapLine, type MissedEvent } from './event-line.js';

/** VMs whose rate is watched; the one that was quiet for longest starts anew beyond. */
const ratesBound = 20_000;
/** What a line has beside its event's own text. */
const lineOverhead = 200;

export interface PublishBounds {
  /** What waits at most, in bytes. */
  readonly bytes: number;
  /** Of one VM in a second; its own burst may be as large. */
  readonly perVmRate: number;
}

/** Lines that go out together. */
export interface Taken {
  readonly lines: string[];
  readonly bytes: number;
}

export interface BatchBounds {
  readonly bytes: number;
  readonly lines: number;
  /** Bytes of one line. */
  readonly longest: number;
}

interface Waiting extends Kept {
  readonly event: EventRecord;
}

interface Missing {
  missed: number;
  last: MissedEvent;
}

/**
 * Events of this node that the fleet does not have yet. At the bound the VM that holds most gives up its oldest; past its
 * rate a VM's events are not taken in. Either way one gap for each VM tells how many. What the gateway tells of a VM has a
 * queue of its own beside the VM's events, and no rate: a guest's flood does not push out the state of the VM.
 */
export class PublishBuffer {
  readonly #buffer: FairBuffer<Waiting>;
  readonly #missing = new Map<string, Missing>();
  readonly #rates: BoundedMap<string, { events: number; at: number }>;
  #dropped = 0;
  #droppedTellings = 0;

  constructor(
    private readonly bounds: PublishBounds,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    this.#buffer = new FairBuffer({ events: Infinity, bytes: bounds.bytes }, ({ event }) => {
      if (isOwn(event)) this.#droppedTellings++;
      this.#miss(event);
    });
    this.#rates = new BoundedMap(ratesBound);
  }

  /** Events that wait. */
  get count(): number {
    return this.#buffer.count;
  }

  get bytes(): number {
    return this.#buffer.bytes;
  }

  /** Events that the fleet will never have. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Those of them that the gateway told of VMs and operations, not the VMs themselves. */
  get droppedTellings(): number {
    return this.#droppedTellings;
  }

  get isEmpty(): boolean {
    return this.#buffer.count === 0 && this.#missing.size === 0;
  }

  add(event: EventRecord): void {
    const own = isOwn(event);
    if (!own && !this.#isWithinRate(event.vm)) {
      this.#miss(event);
      return;
    }
    this.#buffer.push({ n: event.n, vm: own ? `${event.vm} ` : event.vm, bytes: event.bytes + lineOverhead, event });
  }

  /**
   * Takes out what goes into one batch: the oldest, but of a backlog each VM has its share first, so that one which floods
   * holds up no other. In the order of their numbers, always per VM.
   * @param most `longest` is of one line; a longer one becomes a gap
   */
  take(most: BatchBounds): Taken {
    const taken: { readonly n: number; readonly text: string }[] = [];
    let bytes = 0;
    /** @returns whether there was room for it */
    const add = ({ n, line, event }: Going): boolean => {
      const text = line();
      const length = Buffer.byteLength(text) + 1;
      if (taken.length > 0 && (taken.length >= most.lines || bytes + length > most.bytes)) return false;
      taken.push({ n, text: length <= most.longest ? text : this.#tooLong(event) });
      bytes += Math.min(length, most.longest);
      return true;
    };
    if (this.#buffer.bytes > most.bytes) this.#takeShares(most.bytes, () => bytes, add);
    visitInOrder(this.#sequences(), add);
    taken.sort((a, b) => a.n - b.n);
    return { lines: taken.map(({ text }) => text), bytes };
  }

  #takeShares(all: number, taken: () => number, add: (going: Going) => boolean): void {
    const groups = new Map<string, Sequence<Going>[]>();
    for (const sequence of this.#sequences()) {
      const vm = sequence.peek()?.event.source.id ?? '';
      const group = groups.get(vm);
      if (group === undefined) groups.set(vm, [sequence]);
      else group.push(sequence);
    }
    const oldest = (group: readonly Sequence<Going>[]) =>
      Math.min(...group.map((sequence) => sequence.peek()?.n ?? Infinity));
    const share = all / groups.size;
    for (const group of [...groups.values()].sort((a, b) => oldest(a) - oldest(b))) {
      const before = taken();
      visitInOrder(group, (going) => taken() - before < share && add(going));
    }
  }

  #tooLong(event: MissedEvent & { readonly name?: string }): string {
    this.#dropped++;
    if (event.name !== undefined && isOwn({ name: event.name })) this.#droppedTellings++;
    return gapLine(event, 1);
  }

  #sequences(): Sequence<Going>[] {
    const sequences: Sequence<Going>[] = [];
    for (const queue of this.#buffer.queues.values()) sequences.push(this.#ofQueue(queue));
    for (const [vm, missing] of this.#missing) sequences.push(this.#ofMissing(vm, missing));
    return sequences;
  }

  #ofQueue(queue: VmQueue<Waiting>): Sequence<Going> {
    const buffer = this.#buffer;
    return {
      peek() {
        const waiting = queue.at(0);
        return waiting && { n: waiting.n, event: waiting.event, line: () => eventLine(waiting.event) };
      },
      advance: () => void buffer.shift(queue),
    };
  }

  #ofMissing(vm: string, { missed, last }: Missing): Sequence<Going> {
    const missing = this.#missing;
    return {
      peek: () => (missing.has(vm) ? { n: last.n, event: last, line: () => gapLine(last, missed) } : undefined),
      advance: () => void missing.delete(vm),
    };
  }

  #miss(event: EventRecord): void {
    const of = event.missed ?? 1;
    this.#dropped += of;
    const { n, source, timestamp, receivedAt } = event;
    const last = { n, source, timestamp, receivedAt };
    const missing = this.#missing.get(event.vm);
    if (missing === undefined) this.#missing.set(event.vm, { missed: of, last });
    else {
      missing.missed += of;
      if (n > missing.last.n) missing.last = last;
    }
  }

  /** As many events as the rate gives in a second may come at once. */
  #isWithinRate(vm: string): boolean {
    const { perVmRate } = this.bounds;
    const now = this.clock.now();
    const rate = this.#rates.get(vm);
    if (rate === undefined) {
      this.#rates.set(vm, { events: perVmRate - 1, at: now });
      return true;
    }
    rate.events = Math.min(perVmRate, rate.events + ((now - rate.at) / 1000) * perVmRate);
    rate.at = now;
    if (rate.events < 1) return false;
    rate.events--;
    return true;
  }
}

/** A line that may go out next. */
interface Going {
  readonly n: number;
  readonly event: MissedEvent & { readonly name?: string };
  readonly line: () => string;
}

/** What the gateway tells has lower-case names; those of VMs are upper-case or have a prefix. */
function isOwn({ name }: Pick<EventRecord, 'name'>): boolean {
  return /^[a-z][a-z-]*$/.test(name);
}
