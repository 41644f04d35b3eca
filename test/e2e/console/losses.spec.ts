/** What the console shows of losses: a laptop that slept, and a browser that was too slow. */
import { FaultProxy } from '@qmp-gateway/test-kit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from '../fake-machine.js';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, registerVm, run } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import { ConsoleBrowser, lookAt, patience } from './console-scene.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
/** The network between the browser and the gateway. */
let network: FaultProxy;
let browser: ConsoleBrowser;
let machine: FakeMachine;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  network = await scene.start(FaultProxy.start(Number(new URL(gateway.url).port)), (proxy) => proxy.stop());
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
  const behindNetwork = { ...gateway, url: `http://127.0.0.1:${network.port}` };
  browser = await ConsoleBrowser.open(scene, behindNetwork);
}, 120_000);
afterAll(() => scene.end());

const eventRow = (page: Page, text: string | RegExp) => page.locator('.qg-event').filter({ hasText: text });

it('goes on where it was when a laptop wakes up, with all that happened meanwhile', async () => {
  const page = await browser.signIn(`/vms/${vm}/events`);
  machine.fake.emit('BEFORE_SLEEP');
  await eventRow(page, 'BEFORE_SLEEP').waitFor();
  await browser.context.setOffline(true);
  network.cut();
  await page.getByText('No connection to the gateway since').waitFor();
  await lookAt(page, 'offline');
  for (let number = 1; number <= 3; number++) machine.fake.emit('IN_SLEEP', { number });
  // All three are in the gateway's history before the laptop wakes up.
  const kept = async () => {
    const answer = await exchange(gateway, `/v1/vms/${vm}/events?event=IN_SLEEP`);
    return (answer.json()['events'] as unknown[]).length;
  };
  await expect.poll(kept, patience).toBe(3);
  await browser.context.setOffline(false);
  await expect.poll(() => eventRow(page, 'IN_SLEEP').count(), patience).toBe(3);
  await expect.poll(() => page.getByText('No connection to the gateway since').count(), patience).toBe(0);
  expect(await page.getByText(/missing here/).count()).toBe(0);
  expect((await run(gateway, vm, 'query-status')).status).toBe(200);
  await page.close();
}, 240_000);

it('counts what it was too slow for, to the event', async () => {
  // Straight to the gateway: the proxy takes whatever comes.
  const near = await ConsoleBrowser.open(scene, gateway);
  const page = await near.signIn('/events?event=FLOOD');
  await page.getByText('No events').waitFor();
  // Its scripts stand still, as in a laptop with too much to do: what comes fills the way to it, then the gateway's bound.
  const session = await near.context.newCDPSession(page);
  await session.send('Debugger.enable');
  const stands = new Promise((resolve) => session.once('Debugger.paused', resolve));
  await session.send('Debugger.pause');
  await stands;
  const total = 40_000;
  const padding = 'x'.repeat(1_000);
  for (let number = 1; number <= total; number++) {
    machine.fake.emit('FLOOD', { number, padding });
    if (number % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => lastNumber(), { timeout: 60_000 }).toBe(total);
  await session.send('Debugger.resume');
  await session.detach();
  await eventRow(page, `number: ${total} `).waitFor();
  const there = numberIn(await page.getByText(/^[\d,]+ events ·/).innerText());
  const left = page.getByText(/[\d,]+ older ones no longer fit/);
  const dropped = (await left.count()) === 0 ? 0 : numberIn((await left.innerText()).split('·')[1] ?? '');
  // What no event holds leaves the lines about what is missing alone.
  await page.getByRole('textbox', { name: 'Search in events' }).fill('no event holds this');
  const missing = page.getByText(/[\d,]+ events of \S+ are missing here/);
  await missing.first().waitFor();
  await lookAt(page, 'gap-counted');
  const told = (await missing.allInnerTexts()).map(numberIn);
  const sum = told.reduce((before, count) => before + count, 0);
  expect(sum).toBeGreaterThan(0);
  // Lines about what is missing were counted among those that are there.
  expect(there + dropped - told.length + sum).toBe(total);
  expect(near.faults).toEqual([]);
  await page.close();
}, 240_000);

const numberIn = (text: string) => Number(/[\d,]+/.exec(text)?.[0].replaceAll(',', ''));

/** The number of the newest event that the gateway has of the flood. */
async function lastNumber(): Promise<number> {
  const list = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
  const [run, n = '0'] = list.cursor.split('.');
  const page = (await exchange(gateway, `/v1/events?event=FLOOD&after=${run}.${Math.max(0, Number(n) - 5)}`)).json();
  const events = page['events'] as { data: { number: number } }[];
  return events.at(-1)?.data.number ?? 0;
}
