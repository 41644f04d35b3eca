/** A list that is longer than the page. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene } from '../gateway-scene.js';
import { ConsoleBrowser, patience } from './console-scene.js';

const count = 300;
const scene = new GatewayScene();
let gateway: GatewayProcess;
let browser: ConsoleBrowser;

beforeAll(async () => {
  const idOf = (at: number) => `web-${String(at).padStart(3, '0')}`;
  const endpoint = `unix:${scene.directory()}/gone`;
  const vms = Object.fromEntries(Array.from({ length: count }, (_, at) => [idOf(at), { endpoint }]));
  gateway = await scene.gateway({ settings: { vms } });
  browser = await ConsoleBrowser.open(scene, gateway);
}, 120_000);
afterAll(() => scene.end());

it('has no more rows in the page than fit in it, whichever part of the list is looked at', async () => {
  const page = await browser.signIn('/vms');
  const rows = page.locator('.qg-vms tbody tr[aria-rowindex]');
  await page.getByRole('link', { name: 'web-000', exact: true }).waitFor();
  expect(await rows.count()).toBeLessThan(60);
  await page.getByRole('region', { name: 'VMs', exact: true }).focus();
  await page.keyboard.press('End');
  await page.getByRole('link', { name: 'web-299', exact: true }).waitFor();
  await expect.poll(() => page.getByRole('link', { name: 'web-000', exact: true }).count(), patience).toBe(0);
  expect(await rows.count()).toBeLessThan(60);
  await page.setViewportSize({ width: 390, height: 600 });
  await expect.poll(() => rows.count(), patience).toBeLessThan(60);
  expect(browser.faults).toEqual([]);
}, 120_000);
