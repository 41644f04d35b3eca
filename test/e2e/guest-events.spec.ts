import { bootLinuxGuest, type LinuxGuest } from '@qmp-gateway/test-kit';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from './chromium.js';
import { openLines, type StreamedEvent } from './event-readers.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let browser: Browser;
let guest: LinuxGuest;
let vm: string;

beforeAll(async () => {
  [gateway, browser, guest] = await Promise.all([
    scene.gateway({ args: ['--auth', 'none', '--allow-host'] }),
    scene.start(launchChromium(), (one) => one.close()),
    scene.start(bootLinuxGuest(), (one) => one.stop()),
  ]);
  vm = await registerVm(gateway, `unix:${guest.socket}`);
}, 120_000);
afterAll(() => scene.end());

type FoldedEvent = StreamedEvent & { readonly coalesced?: number };

/** Gathers the events of an NDJSON stream until it is closed. */
async function gather(query: string): Promise<{ events: FoldedEvent[]; close(): void; ended: Promise<void> }> {
  const lines = await openLines(gateway, `/v1/vms/${vm}/events?${query}`, 'application/x-ndjson');
  const events: FoldedEvent[] = [];
  const follow = async () => {
    for (let line = await lines.line(); line !== null; line = await lines.line())
      events.push(JSON.parse(line) as FoldedEvent);
  };
  return { events, close: () => lines.close(), ended: follow().catch(() => undefined) };
}

describe('a real Linux guest', () => {
  it('gives back memory, and a page is told by EventSource and by WebSocket', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v1`);
    const target = 128 * 2 ** 20;
    const params = { vm, event: 'BALLOON_CHANGE' };
    const seen = page.evaluate(`(async () => {
      const isWanted = ({ event, data }) => event === 'BALLOON_CHANGE' && data.actual === ${target};
      const bySource = new Promise((resolve) => {
        const source = new EventSource('/v1/vms/${vm}/events?event=BALLOON_CHANGE');
        source.onopen = () => window.sourceOpen = true;
        source.onmessage = ({ data }) => isWanted(JSON.parse(data)) && resolve(JSON.parse(data));
      });
      const bySocket = new Promise((resolve) => {
        const socket = new WebSocket(location.origin.replace('http', 'ws') + '/v1/ws', 'qmp-gateway.v1');
        socket.onopen = () => socket.send(${JSON.stringify(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params }))});
        socket.onmessage = ({ data }) => {
          const { id, params } = JSON.parse(data);
          if (id === 1) window.socketOpen = true;
          else if (isWanted(params)) resolve(params);
        };
      });
      return [await bySource, await bySocket];
    })()`);
    await page.waitForFunction('window.sourceOpen && window.socketOpen');
    expect((await run(gateway, vm, 'balloon', `{"value":${target}}`)).status).toBe(200);
    const [bySource, bySocket] = (await seen) as [StreamedEvent, StreamedEvent];
    expect(bySource).toMatchObject({ vm, event: 'BALLOON_CHANGE', data: { actual: target } });
    expect(bySocket).toMatchObject({ ...bySource });
    await context.close();
  });

  it('changes its filters in a loop: each event is told, or folded and counted', async () => {
    const windowMs = 200;
    await guest.run('ip link set eth0 up');
    const { cursor } = (await (await gateway.fetch('/v1/vms')).json()) as { cursor: string };
    const query = `event=NIC_RX_FILTER_CHANGED&after=${cursor}`;
    const all = await gather(query);
    const folded = await gather(`${query}&coalesce=${windowMs}ms`);
    const began = performance.now();
    await guest.run(
      '(while :; do vconfig add eth0 100; vconfig rem eth0.100; for end in 0a 0b; do ip link set dev eth0 address 52:54:00:00:00:$end; done; done) > /dev/null 2>&1 & echo $! > /tmp/loop',
    );
    // QEMU tells of the next change only after somebody asked what the filters are.
    let asked = 0;
    while (all.events.length < 200) {
      expect((await run(gateway, vm, 'query-rx-filter', '{"name":"net0"}')).status).toBe(200);
      asked++;
      if (asked > 50_000) throw new Error(`${all.events.length} events after ${asked} questions`);
    }
    // Waited for: a child that ends later would interrupt the guest's shell while it reads its next line.
    await guest.run('kill $(cat /tmp/loop); wait $(cat /tmp/loop) || true');
    await guest.run('vconfig add eth0 42 > /dev/null; ip link set dev eth0 address 52:54:00:00:00:99');

    const filters = await run(gateway, vm, 'query-rx-filter', '{"name":"net0"}');
    const [table] = JSON.parse(filters.text) as { 'main-mac': string; 'vlan-table': number[] }[];
    expect(table?.['main-mac']).toBe('52:54:00:00:00:99');
    expect(table?.['vlan-table']).toContain(42);

    // One more change, after which nothing moves: whoever has seen it has seen all.
    await guest.run('ip link set dev eth0 address 52:54:00:00:00:01');
    const page = await gateway.fetch(`/v1/vms/${vm}/events?${query}`);
    const { events: kept } = (await page.json()) as { events: StreamedEvent[] };
    const last = kept.at(-1)?.cursor;
    const isComplete = () => all.events.at(-1)?.cursor === last && folded.events.at(-1)?.cursor === last;
    while (!isComplete()) await new Promise((resolve) => setTimeout(resolve, 20));
    const elapsed = performance.now() - began;
    for (const stream of [all, folded]) {
      stream.close();
      await stream.ended;
    }

    expect(all.events.map(({ cursor }) => cursor)).toEqual(kept.map(({ cursor }) => cursor));
    expect(all.events[0]).toMatchObject({ event: 'NIC_RX_FILTER_CHANGED', data: { name: 'net0' } });
    expect(folded.events.reduce((sum, { coalesced = 0 }) => sum + coalesced, 0)).toBe(all.events.length);
    expect(folded.events.length).toBeLessThanOrEqual(elapsed / windowMs + 1);
    expect(folded.events.length).toBeLessThan(all.events.length);
    process.stdout.write(
      `rx-filter: ${all.events.length} events, ${folded.events.length} after folding, ${asked} asked\n`,
    );
  });
});
