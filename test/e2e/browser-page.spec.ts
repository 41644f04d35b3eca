/** The page of docs/browser.md in a real browser, as a reader would copy it. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, servePage } from './chromium.js';
import { blocksOf } from './documented-commands.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
const html = blocksOf('docs/browser.md').find(({ language }) => language === 'html')?.text ?? '';
let browser: Browser;
let page: Page;
let gateway: GatewayProcess;

beforeAll(async () => {
  const origin = await servePage(scene, html);
  gateway = await scene.gateway({ settings: { listen: ['127.0.0.1:0'], allowedOrigins: [origin] } });
  browser = scene.keep(await launchChromium(), (started) => started.close());
  page = await browser.newPage();
  await page.goto(origin);
});
afterAll(() => scene.end());

const row = (...cells: string[]) => page.locator('tr').filter({ hasText: new RegExp(`^${cells.join('\\s*')}$`) });

it('has 40 lines', () => {
  expect(html.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
});

it('lists VMs, shows events, and takes VMs in and out as they come and go', async () => {
  const first = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  await page.locator('[name=gateway]').fill(gateway.url);
  await page.locator('[name=token]').fill(gateway.token ?? '');
  await page.locator('button').click();
  await row(first, 'ready', 'prelaunch', 'ok').waitFor();

  expect((await run(gateway, first, 'cont')).status).toBe(200);
  await row(first, 'ready', 'running', 'ok').waitFor();
  await page.locator('pre', { hasText: `${first} RESUME` }).waitFor();

  const second = await registerVm(gateway, 'unix:/nowhere/at-all', { state: 'waiting' });
  await row(second, 'waiting').waitFor();
  expect((await exchange(gateway, `/v1/vms/${second}`, { method: 'DELETE' })).status).toBe(204);
  await row(second, 'waiting').waitFor({ state: 'detached' });
  await page.locator('pre', { hasText: `${second} vm-removed` }).waitFor();
});
