import { vi } from 'vitest';
import { Principal, type Level } from '../access/principal.js';
import { parseVmSelector } from '../access/vm-selector.js';
import { everyEvent, type EventFilter } from './audience.js';
import { ndjson } from './encodings.js';
import { EventHub, type HubOptions } from './event-hub.js';
import type { EndReason, Sink, Subscription } from './subscriber.js';
import type { SubscribeOptions } from './subscribers.js';

// What the specs of the hub have in common: a hub with small bounds, who publishes, and who listens.

export const limits = { events: 10, bytes: 1_000_000, allBytes: 10_000_000, stuckMs: 60_000, bookmarkMs: 15_000 };
export const hubWith = (options: Partial<HubOptions> = {}) =>
  new EventHub({ run: 'r1', subscriber: limits, ...options });
export const principal = (vms = ['*'], level: Level = 'host', stillValid = () => true) =>
  new Principal(`p-${level}`, 'p', { level, vms }, { stillValid });
export const vm = (id: string, labels: Record<string, string> = {}) => ({ id, labels, epoch: 'r1.1' });
export const event = (name: string, data?: string) => ({
  name,
  data,
  timestamp: '{"seconds":1,"microseconds":2}',
  receivedAt: 1_700_000_000_000,
});
export const filter = (vms: string[], events: string[] = [], labels: string[] = []): EventFilter => ({
  selector: parseVmSelector(vms, labels).selector,
  events,
});

export interface Line {
  cursor: string;
  vm: string | null;
  event: string;
  data: { vm: string | null; from: string; to: string; missed: number | null } & Record<string, unknown>;
  coalesced?: number;
}

export class TestSink implements Sink {
  readonly writes: string[] = [];
  ended: EndReason | undefined;
  congested = false;
  subscription!: Subscription;

  write(bytes: Buffer): boolean {
    this.writes.push(bytes.toString());
    return !this.congested;
  }

  end(reason: EndReason): void {
    this.ended = reason;
  }

  relieve(): void {
    this.congested = false;
    this.subscription.drained();
  }

  get lines(): Line[] {
    return this.writes
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  }

  get names(): string[] {
    return this.lines.map((line) => line.event);
  }
}

export function listen(hub: EventHub, options: Partial<SubscribeOptions> = {}): TestSink {
  const sink = new TestSink();
  sink.subscription = hub.subscribe({ principal: principal(), filter: everyEvent, encoding: ndjson, sink, ...options });
  return sink;
}

/** The next turns of the event loop: fake immediates set by one that runs come a millisecond later. */
export const turn = () => {
  vi.advanceTimersByTime(1);
  vi.advanceTimersByTime(1);
};
