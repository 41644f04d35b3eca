import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { floodBootSector } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { FaultScene } from '../e2e/fault-scene.js';
import { run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';

const reconnects = 300;
const scene = new FaultScene();

afterEach(() => scene.end());

/** What one stream of all events said: whether it is whole, and in order. */
class Ledger {
  events = 0;
  missed = 0;
  readonly epochs: string[] = [];
  readonly faults: string[] = [];
  #last: number | undefined;
  #time = 0;

  take(line: string): void {
    const { cursor, event, epoch, data, timestamp } = JSON.parse(line) as {
      cursor: string;
      event: string;
      epoch: string | null;
      data: { from: string; to: string; missed: number };
      timestamp: { seconds: number; microseconds: number };
    };
    const position = positionOf(cursor);
    const before = this.#last ?? position - 1;
    this.#last = position;
    if (event === 'gap') {
      this.missed += data.missed;
      if (positionOf(data.to) - positionOf(data.from) !== data.missed) this.faults.push(`gap ${JSON.stringify(data)}`);
      return;
    }
    if (position !== before + 1) this.faults.push(`${cursor} after ${before}`);
    if (event !== 'GUEST_CRASHLOADED') return;
    this.events++;
    if (epoch !== this.epochs.at(-1)) {
      if (epoch === null || this.epochs.includes(epoch)) this.faults.push(`epoch ${String(epoch)} out of turn`);
      this.epochs.push(String(epoch));
    }
    const time = timestamp.seconds * 1e6 + timestamp.microseconds;
    if (time < this.#time) this.faults.push(`${cursor} is older than the event before it`);
    this.#time = time;
  }
}

const positionOf = (cursor: string) => Number(cursor.slice(cursor.lastIndexOf('.') + 1));

it('connects again 300 times under a flood of events: all succeed, every event in order with its epoch', async () => {
  const directory = scene.directory();
  const image = path.join(directory, 'flood.img');
  writeFileSync(image, floodBootSector());
  const qemu = await scene.qemu({
    machine: 'pc',
    accel: 'tcg',
    args: ['-device', 'pvpanic', '-drive', `if=floppy,format=raw,file=${image}`],
  });
  const gateway = await scene.gateway();
  const register = async (kind: string): Promise<void> => {
    const answer = await exchange(gateway, '/v1/vms/flood', {
      method: 'PUT',
      body: JSON.stringify({ endpoint: `unix:${qemu.socket}`, kind }),
    });
    expect(answer.status).toBeLessThan(300);
    const vm = (await exchange(gateway, '/v1/vms/flood?wait=30s')).json();
    expect(vm).toMatchObject({ state: 'ready', lastError: null });
  };
  await register('auto');
  expect((await run(gateway, 'flood', 'cont')).status).toBe(200);
  const first = await exchange(gateway, '/v1/events?event=GUEST_CRASHLOADED&wait=20s&limit=1');
  expect(first.json()['events']).toHaveLength(1);

  const ledger = new Ledger();
  const leaving = new AbortController();
  const stream = await gateway.fetch('/v1/events', {
    headers: { Accept: 'application/x-ndjson' },
    signal: leaving.signal,
  });
  const reading = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of stream.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') ledger.take(line);
    }
  })().catch(() => undefined);

  const began = performance.now();
  for (let count = 0; count < reconnects; count++) {
    // Another definition starts another session at once.
    await register(count % 2 === 0 ? 'qemu' : 'auto');
    if (count % 10 === 0) expect((await run(gateway, 'flood', 'query-status')).json()).toMatchObject({ running: true });
  }
  const seconds = (performance.now() - began) / 1000;
  expect((await run(gateway, 'flood', 'stop')).status).toBe(200);
  const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
  await exchange(gateway, `/v1/events?after=${cursor}&wait=1s`);
  leaving.abort();
  await reading;
  const { events, missed, epochs, faults } = ledger;
  process.stdout.write(
    `${JSON.stringify({
      reconnects,
      seconds,
      events,
      missed,
      perSecond: Math.round((events + missed) / seconds),
      epochs: epochs.length,
    })}\n`,
  );
  expect(faults).toEqual([]);
  expect(missed).toBe(0);
  // A session may have been too short for an event.
  expect(epochs.length).toBeGreaterThan(reconnects * 0.9);
});
