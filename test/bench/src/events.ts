import { InstantMonitor } from '@qmp-gateway/test-kit';
import { countFrames, type FrameCounter } from './frame-counter.js';
import { benchIntrospection, benchStatus } from './introspection.js';
import { processorMs, startGateway, stopAll, type BenchGateway } from './processes.js';
import { quantile } from './statistics.js';
import { printTable } from './table.js';

const milliseconds = 5000;
const subscribe = '{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"event":"BENCH"}}';
/** Events written at once when it is only about how many get through, and how many may be under way. */
const [batch, underWay] = [50, 200];
const event =
  '{"timestamp": {"seconds": 1700000000, "microseconds": 123456}, "event": "BENCH", "data": {"id": "a"}}\r\n';

/**
 * Events from a VM to many WebSockets. VM and subscribers are this process, so that all times are of one clock; what it
 * needs to read a thousand sockets is part of them.
 */
export async function benchEvents(): Promise<void> {
  const rows: string[][] = [];
  for (const count of [1, 100, 1000]) {
    const { perSecond, perCore } = await throughput(count);
    const steady = await latency(count, 1000 / Math.max(1, count / 100));
    rows.push([String(count), `${perSecond.toFixed(0)}/s`, `${perCore.toFixed(0)}/s`, ...steady]);
  }
  const single = await singleEvents(1000);
  printTable([['subscribers', 'deliveries', 'per core', 'events/s', 'p50', 'p99'], ...rows]);
  printTable([
    ['one event to 1,000 subscribers', 'until the last has it'],
    ['median of 50', ms(single.median)],
    ['worst of 50', ms(single.worst)],
  ]);
}

const ms = (value: number) => `${value.toFixed(1)} ms`;

/** Subscribers of one VM's events. Each gets every event in order, so a count says which one came. */
class Audience {
  deliveries = 0;
  readonly #clients: FrameCounter[] = [];

  private constructor(
    readonly monitor: InstantMonitor,
    readonly gateway: BenchGateway,
    /** Told of each subscriber's messages: how many it had before, and how many came now. */
    private readonly arrived: (before: number, count: number) => void,
  ) {}

  static async gather(count: number, arrived: (before: number, count: number) => void): Promise<Audience> {
    const monitor = await InstantMonitor.start({ 'query-qmp-schema': benchIntrospection, 'query-status': benchStatus });
    const audience = new Audience(monitor, await startGateway({ bench: monitor.endpoint.path }), arrived);
    for (let i = 0; i < count; i++) await audience.#subscribe();
    return audience;
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await stopAll();
    await this.monitor.stop();
  }

  async #subscribe(): Promise<void> {
    const { port, token } = this.gateway;
    let received = -1;
    let answered: () => void = () => undefined;
    const subscribed = new Promise<void>((resolve) => (answered = resolve));
    const client = countFrames({ port, path: '/v1/ws', token }, subscribe, (messages) => {
      let count = messages;
      // The first message is the answer to `subscribe`.
      if (received < 0) {
        answered();
        received = 0;
        count--;
      }
      if (count === 0) return;
      this.deliveries += count;
      this.arrived(received, count);
      received += count;
    });
    this.#clients.push(client);
    await subscribed;
  }
}

/** As many as get through: the next events are sent as soon as few enough are under way. */
async function throughput(count: number): Promise<{ perSecond: number; perCore: number }> {
  const events = event.repeat(batch);
  let sent = 0;
  let isOver: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (isOver = resolve));
  let until = Infinity;
  const send = () => {
    if (performance.now() >= until) isOver();
    else
      while (sent * count - audience.deliveries <= (underWay - batch) * count) {
        sent += batch;
        audience.monitor.broadcast(events);
      }
  };
  const audience = await Audience.gather(count, send);
  const { pid } = audience.gateway;
  const [started, processorBefore] = [performance.now(), processorMs(pid)];
  until = started + milliseconds;
  send();
  await over;
  const elapsed = performance.now() - started;
  const busy = processorMs(pid) - processorBefore;
  const { deliveries } = audience;
  await audience.end();
  return { perSecond: (deliveries / elapsed) * 1000, perCore: (deliveries / busy) * 1000 };
}

/** Times from the write of an event to its arrival at each subscriber, at a steady rate. */
async function latency(count: number, perSecond: number): Promise<string[]> {
  const sentAt: number[] = [];
  const times: number[] = [];
  const audience = await Audience.gather(count, (before, arrived) => {
    const now = performance.now();
    for (let i = before; i < before + arrived; i++) times.push(now - (sentAt[i] ?? NaN));
  });
  const started = performance.now();
  for (let now = started; now - started < milliseconds; now = performance.now()) {
    const due = Math.floor(((now - started) / 1000) * perSecond) - sentAt.length;
    for (let i = 0; i < due; i++) sentAt.push(now);
    if (due > 0) audience.monitor.broadcast(event.repeat(due));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await audience.end();
  const sorted = Float64Array.from(times).sort();
  return [perSecond.toFixed(0), ms(quantile(sorted, 0.5)), ms(quantile(sorted, 0.99))];
}

/** One event at a time: how long until every subscriber has it. */
async function singleEvents(count: number): Promise<{ median: number; worst: number }> {
  let missing = 0;
  let complete: () => void = () => undefined;
  const audience = await Audience.gather(count, (_before, arrived) => {
    missing -= arrived;
    if (missing === 0) complete();
  });
  const times: number[] = [];
  // The first ones warm up.
  for (let round = -10; round < 50; round++) {
    const all = new Promise<void>((resolve) => (complete = resolve));
    missing = count;
    const started = performance.now();
    audience.monitor.broadcast(event);
    await all;
    if (round >= 0) times.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await audience.end();
  const sorted = Float64Array.from(times).sort();
  return { median: quantile(sorted, 0.5), worst: sorted.at(-1) ?? NaN };
}
