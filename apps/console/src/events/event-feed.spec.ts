import { GatewayProblem, GatewayUnreachable, type AnyEvent } from '@qmp-gateway/client';
import { expect, describe, it } from 'vitest';
import { EventFeed, type EventOrigin, type FeedOptions, type PageOfHistory } from './event-feed.js';
import { filterOf, type EventRange } from './event-filter.js';

const now = Date.parse('2026-01-01T12:00:00Z');

function event(n: number, name = 'STOP', minutesAgo = 0, data: unknown = {}): AnyEvent {
  const time = new Date(now - minutesAgo * 60_000).toISOString();
  return { cursor: `r.${n}`, vm: 'a', epoch: 'e', event: name, data, time, timestamp: { seconds: 0, microseconds: 0 } };
}

/** What comes live, pushed by the test. */
class Live {
  readonly #waiting: AnyEvent[] = [];
  #wake: () => void = () => undefined;
  after: string | undefined | null = null;

  push(...events: AnyEvent[]): void {
    this.#waiting.push(...events);
    this.#wake();
  }

  async *stream(after: string | undefined, signal: AbortSignal): AsyncGenerator<AnyEvent> {
    this.after = after;
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else yield next;
    }
  }
}

interface Stage {
  readonly feed: EventFeed;
  readonly live: Live;
  readonly asked: string[];
}

function stage(
  range: EventRange,
  pages: Record<string, PageOfHistory | Error> = {},
  options: Partial<FeedOptions> & { readonly query?: string } = {},
): Stage {
  const live = new Live();
  const asked: string[] = [];
  const origin: EventOrigin = {
    oldestKept: () => Promise.resolve(event(0, '', 90).time),
    page: (_, from) => {
      const after = 'after' in from ? from.after : `${from.sinceMs / 60_000} min ago`;
      asked.push(after);
      const page = pages[after] ?? { events: [], cursor: 'r.head', oldest: 'r.0' };
      return page instanceof Error ? Promise.reject(page) : Promise.resolve(page);
    },
    live: (_, after, signal) => live.stream(after, signal),
  };
  const filter = { ...filterOf(new URLSearchParams(options.query), { range: 'live', hide: [] }), range };
  // Changes are shown at once.
  const schedule = (callback: () => void) => {
    queueMicrotask(callback);
    return () => undefined;
  };
  const feed = new EventFeed(origin, { schedule, now: () => now, ...options, filter });
  feed.open();
  return { feed, live, asked };
}

const cursors = (feed: EventFeed) => Array.from({ length: feed.length }, (_, index) => feed.at(index)?.event.cursor);
const shows = (feed: EventFeed, expected: readonly string[]) => expect.poll(() => cursors(feed)).toEqual(expected);

describe('a feed', () => {
  it('reads what is kept of the last hour and no more, page by page, and goes on live from there', async () => {
    const { feed, live, asked } = stage('1h', {
      '60 min ago': { events: [event(2, 'STOP', 50)], cursor: 'r.2', oldest: 'r.0' },
      'r.2': { events: [event(3, 'RESUME', 10)], cursor: 'r.3', oldest: 'r.0' },
    });
    await shows(feed, ['r.2', 'r.3']);
    await expect.poll(() => feed.phase.name).toBe('live');
    expect(asked).toEqual(['60 min ago', 'r.2', 'r.3']);
    expect(live.after).toBe('r.head');
    expect(feed.oldestKept).toBe(event(1, '', 90).time);
    live.push(event(4));
    await shows(feed, ['r.2', 'r.3', 'r.4']);
    feed.close();
  });

  it('goes on with the history where it was when the connection was lost', async () => {
    const pages: Record<string, PageOfHistory | Error> = {
      oldest: { events: [event(1)], cursor: 'r.1', oldest: 'r.0' },
      'r.1': new GatewayUnreachable('gone'),
    };
    const wait = (): Promise<void> => {
      pages['r.1'] = { events: [event(2)], cursor: 'r.2', oldest: 'r.0' };
      return Promise.resolve();
    };
    const { feed, asked } = stage('all', pages, { wait });
    await shows(feed, ['r.1', 'r.2']);
    expect(asked.slice(0, 3)).toEqual(['oldest', 'r.1', 'r.1']);
    await expect.poll(() => feed.phase.name).toBe('live');
    feed.close();
  });

  it('starts now where nobody asked for the history', async () => {
    const { feed, live, asked } = stage('live');
    live.push(event(1));
    await shows(feed, ['r.1']);
    expect({ asked, after: live.after }).toEqual({ asked: [], after: undefined });
  });

  it('says where what it wanted to read is no longer kept', async () => {
    const code = { code: 'cursor-expired', status: 410, outcome: 'not-sent', retryable: false } as const;
    const { feed } = stage('after:r.1', {
      'r.1': new GatewayProblem({ ...code, oldest: 'r.5' }),
      'r.5': { events: [event(6)], cursor: 'r.6', oldest: 'r.5' },
    });
    await shows(feed, ['r.5', 'r.6']);
    expect(feed.at(0)?.event).toMatchObject({ event: 'gap', data: { vm: null, missed: null } });
  });

  it('keeps what came during a pause, and counts it', async () => {
    const { feed, live } = stage('live');
    live.push(event(1));
    await shows(feed, ['r.1']);
    feed.pause();
    live.push(event(2), event(3));
    await expect.poll(() => feed.cameSincePause).toBe(2);
    expect(cursors(feed)).toEqual(['r.1']);
    feed.resume();
    expect(cursors(feed)).toEqual(['r.1', 'r.2', 'r.3']);
    expect({ paused: feed.paused, since: feed.cameSincePause }).toEqual({ paused: false, since: 0 });
  });

  it('counts right over a pause in which the list is full', async () => {
    const { feed, live } = stage('live', {}, { bounds: { items: 2, weight: 1e6 } });
    live.push(event(1), event(2));
    await shows(feed, ['r.1', 'r.2']);
    feed.pause();
    live.push(event(3), event(4), event(5));
    await expect.poll(() => feed.cameSincePause).toBe(3);
    expect(cursors(feed)).toEqual(['r.1', 'r.2']);
    feed.resume();
    expect({ shown: cursors(feed), dropped: feed.dropped }).toEqual({ shown: ['r.4', 'r.5'], dropped: 3 });
  });

  it('filters in the browser what has come and what comes', async () => {
    const { feed, live } = stage('live', {}, { query: 'text=DRIVE0' });
    live.push(event(1, 'A', 0, { device: 'drive0' }), event(2, 'B', 0, { device: 'drive1' }), event(3, 'gap'));
    await shows(feed, ['r.1', 'r.3']);
    feed.filterHere({ text: '', hide: ['A'] });
    expect(cursors(feed)).toEqual(['r.2', 'r.3']);
    live.push(event(4, 'A'), event(5, 'C', 0, { size: 18446744073709551615n }));
    await shows(feed, ['r.2', 'r.3', 'r.5']);
    feed.filterHere({ text: '1844674407370955161', hide: [] });
    expect(cursors(feed)).toEqual(['r.3', 'r.5']);
    feed.filterHere({ text: '', hide: [] });
    expect(cursors(feed)).toEqual(['r.1', 'r.2', 'r.3', 'r.4', 'r.5']);
  });

  it('holds the newest of many within its bounds, and shows them together', async () => {
    const pending: (() => void)[] = [];
    const schedule = (callback: () => void) => {
      pending.push(callback);
      return () => undefined;
    };
    const { feed, live } = stage('live', {}, { schedule, bounds: { items: 100, weight: 1e9 } });
    let drawn = 0;
    feed.subscribe(() => drawn++);
    live.push(...Array.from({ length: 5000 }, (_, n) => event(n)));
    await expect.poll(() => feed.arrived).toBe(5000);
    expect(pending.length).toBe(1);
    const before = drawn;
    pending[0]?.();
    expect({ drawn: drawn - before, length: feed.length, dropped: feed.dropped }).toEqual({
      ...{ drawn: 1, length: 100, dropped: 4900 },
    });
  });

  it('says why it failed, and reads anew', async () => {
    const pages: Record<string, PageOfHistory | Error> = { oldest: new Error('no way') };
    const { feed } = stage('all', pages);
    await expect.poll(() => feed.phase).toEqual({ name: 'failed', error: pages['oldest'] });
    pages['oldest'] = { events: [event(1)], cursor: 'r.1', oldest: 'r.0' };
    feed.open();
    await shows(feed, ['r.1']);
    feed.close();
  });
});
