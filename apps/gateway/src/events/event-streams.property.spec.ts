import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Principal } from '../access/principal.js';
import { parseVmSelector } from '../access/vm-selector.js';
import type { EventFilter } from './audience.js';
import { parseCursor, type Cursor } from './cursor.js';
import { ndjson } from './encodings.js';
import { EventHub } from './event-hub.js';
import type { Subscription } from './subscriber.js';

const vms = ['a', 'b', 'c'];
const names = ['STOP', 'RESUME', 'NIC_RX_FILTER_CHANGED'];
const all = new Principal('p', 'p', { level: 'host', vms: ['*'] });

type Published = { n: number; vm: string; name: string };
type Told = { n: number } & (
  { event: string; vm: string | null } | { gap: { vm: string | null; from: number; missed: number | null } }
);

interface Line {
  cursor: string;
  vm: string | null;
  event: string;
  data: { from: string; missed: number | null };
}

/** One client: it follows, is congested at times, leaves, and comes back with the last cursor it saw. */
class Client {
  readonly told: Told[] = [];
  start = 0;
  #text = '';
  #congested = false;
  #subscription: Subscription | undefined;
  #last: number | undefined;

  constructor(
    private readonly hub: EventHub,
    readonly filter: EventFilter,
  ) {}

  connect(): void {
    if (this.#subscription !== undefined) return;
    const after: Cursor | undefined = this.#last === undefined ? undefined : { run: 'r', n: this.#last };
    const sink = {
      write: (bytes: Buffer) => {
        this.#text += bytes.toString();
        return !this.#congested;
      },
      end: () => undefined,
    };
    this.#subscription = this.hub.subscribe({ principal: all, filter: this.filter, encoding: ndjson, after, sink });
    const n = parseCursor(this.#subscription.cursor)!.n;
    if (this.#last === undefined) this.start = n;
    this.#last ??= n;
  }

  leave(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#congested = false;
    this.#read();
  }

  congest(): void {
    this.#congested = this.#subscription !== undefined;
  }

  relieve(): void {
    this.#congested = false;
    this.#subscription?.drained();
    this.#read();
  }

  #read(): void {
    for (const line of this.#text.split('\n')) {
      if (line === '') continue;
      const { cursor, vm, event, data } = JSON.parse(line) as Line;
      const { n } = parseCursor(cursor)!;
      if (event === 'gap') this.told.push({ n, gap: { vm, from: parseCursor(data.from)!.n, missed: data.missed } });
      else this.told.push({ n, event, vm });
      this.#last = n;
    }
    this.#text = '';
  }
}

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      vm: fc.nat(2),
      name: fc.nat(2),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('connect' as const, 'leave' as const), client: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('congest' as const, 'relieve' as const), client: fc.nat(3) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);

const filters: EventFilter[] = [
  { selector: parseVmSelector([], []).selector, events: [] },
  { selector: parseVmSelector(['a'], []).selector, events: [] },
  { selector: parseVmSelector([], []).selector, events: ['STOP', 'RES*'] },
  { selector: parseVmSelector([], []).selector, events: [], vm: 'b' },
];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a stream of events', () => {
  it('is exactly the filtered sequence, or says exactly what it missed', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120, size: 'max' }),
        fc.record({ history: fc.integer({ min: 1, max: 40 }), budget: fc.integer({ min: 1, max: 8 }) }),
        (steps, bounds) => {
          const hub = new EventHub({
            run: 'r',
            history: { events: bounds.history, bytes: 1e9 },
            subscriber: { events: bounds.budget, bytes: 1e9, allBytes: 1e9, stuckMs: 1e9, bookmarkMs: 1e9 },
          });
          const published: Published[] = [];
          const clients = filters.map((filter) => new Client(hub, filter));
          for (const client of clients) client.connect();
          for (const one of steps) {
            if (one.do === 'publish')
              for (let i = 0; i < one.count; i++) {
                const [vm, name] = [vms[one.vm]!, names[one.name]!];
                hub.publish(
                  { id: vm, labels: {}, epoch: null },
                  { name, data: undefined, timestamp: '{}', receivedAt: 0 },
                );
                published.push({ n: published.length + 1, vm, name });
              }
            else if (one.do === 'turn') vi.advanceTimersByTime(0);
            else clients[one.client]![one.do]();
          }
          for (const client of clients) {
            client.connect();
            client.relieve();
          }
          vi.advanceTimersByTime(10);
          vi.advanceTimersByTime(10);
          for (const client of clients) {
            client.leave();
            check(client, published);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** Every wanted event is told once and in order, or lies in a gap; a gap with a number counts exactly those. */
function check(client: Client, published: readonly Published[]): void {
  const { filter, told, start } = client;
  const wanted = published.filter(
    ({ n, vm, name }) =>
      n > start &&
      (filter.vm === undefined || filter.vm === vm) &&
      (filter.selector.vms.length === 0 || filter.selector.vms.includes(vm)) &&
      (filter.events.length === 0 || name === 'STOP' || name.startsWith('RES')),
  );
  // Compared by hand: a matcher for each of some ten thousand events would take most of the time.
  const wantedAs = new Map(wanted.map(({ n, vm, name }) => [n, `${vm} ${name}`]));
  expect(told.filter(({ n }, index) => index > 0 && n < told[index - 1]!.n)).toEqual([]);
  const events = new Set<number>();
  const gaps: { vm: string | null; from: number; to: number; missed: number | null }[] = [];
  for (const one of told) {
    if ('gap' in one) gaps.push({ ...one.gap, to: one.n });
    else {
      if (events.has(one.n)) expect.fail(`${one.n} came twice`);
      events.add(one.n);
      if (wantedAs.get(one.n) !== `${one.vm ?? ''} ${one.event}`) expect.fail(`${one.n} was not wanted`);
    }
  }
  const covers = (gap: (typeof gaps)[number], event: Published): boolean =>
    (gap.vm === null || gap.vm === event.vm) && gap.from < event.n && event.n <= gap.to;
  const missed = wanted.filter(({ n }) => !events.has(n));
  expect(missed.filter((event) => gaps.filter((gap) => covers(gap, event)).length !== 1)).toEqual([]);
  for (const gap of gaps) {
    const inside = missed.filter((event) => covers(gap, event));
    if (gap.missed === null) continue;
    expect(inside).toHaveLength(gap.missed);
    expect(inside.at(-1)?.n).toBe(gap.to);
  }
}
