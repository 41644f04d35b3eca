import { RawWebSocket } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, registerVm } from '../e2e/gateway-scene.js';
import { randomNumbers, seedOf } from '../e2e/random-numbers.js';

const total = 1_000_000;
const batch = 500;
const names = ['STOP', 'RESUME', 'RESET'] as const;
const scene = new GatewayScene();
const machines: FakeMachine[] = [];
const ids: string[] = [];
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings, args: ['--log-level', 'warn'] });
  for (let i = 0; i < 4; i++) {
    machines.push(await fakeMachine(scene));
    ids.push(await registerVm(gateway, machines[i]!.endpoint));
  }
});
afterAll(() => scene.end());

/** Of the `seq`-th event of each VM. */
const nameOf = (seq: number) => names[(Math.imul(seq, 0x9e3779b1) >>> 16) % names.length]!;

interface Filter {
  readonly vms: readonly string[];
  readonly events: readonly string[];
}

/** Where a stream is with one VM: the last sequence number, and what gaps since then say. */
interface Place {
  seq: number;
  missed: number;
  /** A gap of unknown size came since. */
  lost: boolean;
  ended: boolean;
}

/** A client that knows which events there were, and finds each one in its stream or in a gap. */
class Subscriber {
  readonly faults: string[] = [];
  received = 0;
  gaps = 0;
  missed = 0;
  readonly #places = new Map<string, Place>();
  #client: RawWebSocket | undefined;
  #n: number;
  #finished: () => void = () => undefined;
  readonly finished = new Promise<void>((resolve) => (this.#finished = resolve));

  constructor(
    readonly filter: Filter,
    private cursor: string,
  ) {
    this.#n = Number(cursor.slice(cursor.lastIndexOf('.') + 1));
    for (const vm of filter.vms) this.#places.set(vm, { seq: 0, missed: 0, lost: false, ended: false });
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  async join(): Promise<void> {
    const client = await RawWebSocket.connect(
      `${gateway.url}/v1/ws`,
      ['qmp-gateway.v1'],
      { Authorization: `Bearer ${gateway.token ?? ''}` },
      (chunk, bounds) => {
        // What is still on its way to one who left has not reached it.
        if (this.#client !== client) return;
        for (let i = 0; i < bounds.length; i += 2) this.#take(chunk.toString('latin1', bounds[i], bounds[i + 1]));
      },
    );
    this.#client = client;
    const { vms, events } = this.filter;
    const params = { vm: vms, event: [...events, 'END'], after: this.cursor };
    client.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params }));
  }

  leave(): void {
    this.#client?.destroy();
    this.#client = undefined;
  }

  pause(): void {
    this.#client?.socket.pause();
  }

  resume(): void {
    this.#client?.socket.resume();
  }

  #take(text: string): void {
    if (text.startsWith('{"jsonrpc":"2.0","id":1')) return;
    const [, cursor = '', n, vm = '', name = '', seq] =
      /"cursor":"(\w+\.(\d+))","vm":(?:"([^"]*)"|null),"epoch":(?:"[^"]*"|null),"event":"(\w+)","data":\{(?:"seq": (\d+)\})?/.exec(
        text,
      ) ?? [];
    this.cursor = cursor;
    if (!(Number(n) > this.#n)) this.faults.push(`${n ?? text} after ${this.#n}`);
    this.#n = Number(n);
    if (name === 'gap') this.#gap(text);
    else this.#event(vm, name, Number(seq));
  }

  #event(vm: string, name: string, seq: number): void {
    const place = this.#places.get(vm);
    if (place === undefined || place.ended) return void this.faults.push(`${name} of ${vm} is not for this one`);
    this.received++;
    if (name !== 'END' && (name !== nameOf(seq) || !this.filter.events.includes(name)))
      this.faults.push(`event ${seq} of ${vm} came as ${name}`);
    if (seq <= place.seq) this.faults.push(`event ${seq} of ${vm} came after ${place.seq}`);
    let skipped = 0;
    for (let between = place.seq + 1; between < seq; between++)
      if (this.filter.events.includes(nameOf(between))) skipped++;
    if (!place.lost && skipped !== place.missed)
      this.faults.push(`${skipped} events of ${vm} left out before ${seq}, ${place.missed} told`);
    Object.assign(place, { seq, missed: 0, lost: false, ended: name === 'END' });
    if ([...this.#places.values()].every(({ ended }) => ended)) this.#finished();
  }

  #gap(text: string): void {
    const { params } = JSON.parse(text) as { params: { data: { vm: string | null; missed: number | null } } };
    const { vm, missed } = params.data;
    this.gaps++;
    this.missed += missed ?? 0;
    for (const [id, place] of this.#places) {
      if (vm !== null && vm !== id) continue;
      if (missed === null) place.lost = true;
      else place.missed += missed;
    }
  }
}

it('a million events through fifty subscribers that come and go: each has all it wants, or is told what it missed', async () => {
  const random = randomNumbers(seedOf('million events'));
  const some = <T>(things: readonly T[]): T[] => {
    const chosen = things.filter(() => random(2) === 0);
    return chosen.length > 0 ? chosen : [things[random(things.length)]!];
  };
  const { cursor } = (await (await gateway.fetch('/v1/vms')).json()) as { cursor: string };
  const subscribers = Array.from({ length: 50 }, () => new Subscriber({ vms: some(ids), events: some(names) }, cursor));
  for (const subscriber of subscribers) scene.keep(subscriber, (one) => one.leave());

  /** Someone leaves, comes (back), stops reading or reads on. */
  const disturb = async () => {
    const subscriber = subscribers[random(subscribers.length)]!;
    const action = random(4);
    if (!subscriber.isConnected) await subscriber.join();
    else if (action === 0) subscriber.leave();
    else if (action === 1) subscriber.pause();
    else subscriber.resume();
  };
  const published = ids.map(() => 0);
  for (let sent = 0; sent < total; sent += batch) {
    const at = random(ids.length);
    let text = '';
    for (let i = 0; i < batch; i++) {
      const seq = ++published[at]!;
      text += `{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "${nameOf(seq)}", "data": {"seq": ${seq}}}\r\n`;
    }
    const { socket } = machines[at]!.fake.connections[0]!;
    // The gateway reads as fast as it can; this only keeps what it has not read out of this process.
    if (!socket.write(text)) await new Promise((resolve) => socket.once('drain', resolve));
    await disturb();
  }
  for (const subscriber of subscribers)
    if (subscriber.isConnected) subscriber.resume();
    else await subscriber.join();
  for (const [at, { fake }] of machines.entries())
    fake.connections[0]!.write(
      `{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "END", "data": {"seq": ${published[at]! + 1}}}\r\n`,
    );
  await Promise.all(subscribers.map(({ finished }) => finished));

  const sum = (pick: (subscriber: Subscriber) => number) =>
    subscribers.reduce((all, subscriber) => all + pick(subscriber), 0);
  process.stdout.write(
    `million events: ${sum(({ received }) => received)} received, ${sum(({ gaps }) => gaps)} gaps, ${sum(({ missed }) => missed)} counted as missed\n`,
  );
  for (const { faults } of subscribers) expect(faults.slice(0, 5)).toEqual([]);
  expect(sum(({ received }) => received)).toBeGreaterThan(total);
  expect(sum(({ missed }) => missed)).toBeGreaterThan(0);
});
