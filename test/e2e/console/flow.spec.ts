/** What somebody does who was paged "web-17 hangs", on a real Linux, by clicking only; and how every view looks. */
import { launchQemu, type LinuxGuest } from '@qmp-gateway/test-kit';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, makeToken } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import { bootConsoleGuest, ConsoleBrowser, lookAt, patience } from './console-scene.js';

/** Of a test, on a machine that does other things too. */
const patientMs = 240_000;
const scene = new GatewayScene();
let guest: LinuxGuest;
let gateway: GatewayProcess;
let browser: ConsoleBrowser;

beforeAll(async () => {
  const directory = scene.directory();
  gateway = await scene.gateway({ settings: { serials: { paths: [`${directory}/*`] } } });
  guest = await bootConsoleGuest(scene, directory, ['-name', 'Web server 17']);
  const other = await scene.start(launchQemu({ machine: 'q35', args: ['-name', 'Database', '-m', '64'] }), (qemu) =>
    qemu.stop(),
  );
  await register('web-17', `unix:${guest.socket}`, { tier: 'web', tenant: 'acme' });
  await register('db-1', `unix:${other.socket}`, { tier: 'db', tenant: 'acme' });
  await register('old-3', `unix:${directory}/gone.qmp`, { tier: 'web' });
  await exchange(gateway, '/v1/vms/web-17/displays/default', { method: 'POST' });
  await exchange(gateway, '/v1/vms/web-17/serials');
  await guest.run(`mkdir -p /etc && echo 'root::0:0:root:/:/bin/sh' > /etc/passwd`);
  await guest.run('echo "web-17: load 97.31, 1204 tasks blocked" > /dev/hvc0');
  await guest.run('(while :; do setsid getty -L 0 hvc0 vt100; done > /dev/null 2>&1 &)');
  browser = await ConsoleBrowser.open(scene, gateway);
}, 180_000);
afterAll(() => scene.end());

async function register(id: string, endpoint: string, labels: Record<string, string>): Promise<void> {
  const body = JSON.stringify({ endpoint, labels });
  expect((await exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body })).status).toBe(201);
  if (id !== 'old-3') await gateway.vmBecomes(id, 'ready');
}

/** Counts what the reader has to do. */
function counted(): { click: (target: Locator) => Promise<void>; clicks: () => number } {
  let clicks = 0;
  return {
    click: async (target) => {
      clicks++;
      await target.click();
    },
    clicks: () => clicks,
  };
}

const lit = (page: Page) =>
  page.evaluate<number>(`(() => {
    const canvas = document.querySelector('.qg-screen canvas');
    if (canvas === null || canvas.width === 0) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let lit = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] + data[at + 1] + data[at + 2] > 0) lit++;
    return lit;
  })()`);

it(
  'leads from "web-17 hangs" to an NMI and its outcome in under 12 clicks',
  async () => {
    const page = await browser.signIn('/');
    const { click, clicks } = counted();
    const tab = (name: string) => page.getByRole('tab', { name, exact: true });
    await page.getByRole('link', { name: 'web-17', exact: true }).waitFor();
    await expect.poll(() => page.locator('.qg-thumbnail img').count(), patience).toBeGreaterThan(0);
    await lookAt(page, 'vms');

    await click(page.getByRole('textbox', { name: 'Search VMs' }));
    await page.keyboard.type('web-17');
    await expect.poll(() => page.getByText('1 of 3').count(), patience).toBe(1);
    expect(page.url()).toContain('q=web-17');
    await click(page.getByRole('link', { name: 'web-17', exact: true }));
    await page.getByText('It answers in time.').waitFor();
    await expect.poll(() => page.getByRole('img', { name: 'Screen of web-17' }).count(), patience).toBe(1);
    await lookAt(page, 'overview');

    await click(tab('Screen'));
    await expect.poll(() => lit(page), patience).toBeGreaterThan(100);
    await lookAt(page, 'screen');
    await click(tab('Serial'));
    await page.locator('.xterm').waitFor();
    await expect.poll(() => page.locator('.xterm-accessibility').innerText(), patience).toContain('1204 tasks blocked');
    await lookAt(page, 'serial');
    await click(tab('Events'));

    await click(page.getByRole('button', { name: 'More power actions' }));
    await lookAt(page, 'power');
    await click(page.getByRole('menuitem', { name: 'Send NMI' }));
    await page.getByText('non-maskable interrupt').waitFor();
    await lookAt(page, 'confirm');
    await click(page.getByRole('dialog').getByRole('button', { name: 'Send NMI' }));
    await page.getByText('Send NMI web-17: done').waitFor();
    await lookAt(page, 'outcome');
    expect(clicks()).toBeLessThan(12);
    await page.close();
  },
  patientMs,
);

it(
  'shows how a VM is that cannot be reached, what it was that vanished, and the gateway itself',
  async () => {
    const page = await browser.signIn('/vms/old-3');
    await page.getByText('The gateway cannot reach its monitor').first().waitFor();
    await lookAt(page, 'unreachable');
    await exchange(gateway, '/v1/vms/old-3', { method: 'DELETE' });
    await page.getByRole('heading', { name: 'No VM old-3' }).waitFor();
    await lookAt(page, 'vanished');
    await page.getByRole('link', { name: 'Gateway', exact: true }).click();
    await page.getByRole('heading', { name: 'Commands, by outcome' }).waitFor();
    await lookAt(page, 'glance');
    await page.getByRole('tab', { name: 'Access and tokens' }).click();
    await page
      .getByRole('gridcell', { name: 'root' })
      .or(page.getByRole('cell', { name: 'root' }))
      .first()
      .waitFor();
    await lookAt(page, 'tokens');
    await page.getByRole('button', { name: 'Make a token' }).click();
    await page.getByRole('dialog').waitFor();
    await lookAt(page, 'new-token');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('tab', { name: 'Audit log' }).click();
    await page.getByText('token-created').first().waitFor();
    await lookAt(page, 'audit');
    await page.getByRole('tab', { name: 'Nodes' }).click();
    await page.getByText('Reachable').first().waitFor();
    await lookAt(page, 'nodes');
    await page.close();
  },
  patientMs,
);

it(
  'does something with several VMs, each with its result',
  async () => {
    const page = await browser.signIn('/vms');
    await page.getByRole('checkbox', { name: 'Select db-1' }).check();
    await page.getByRole('checkbox', { name: 'Select web-17' }).check();
    await page.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByText('2 of 2').waitFor();
    await lookAt(page, 'fan-out');
    await page.getByRole('button', { name: 'Close', exact: true }).last().click();
    await expect.poll(() => page.getByText('Paused').count(), patience).toBeGreaterThan(0);
    await page.close();
  },
  patientMs,
);

it(
  'offers level read nothing that would be refused, and says why',
  async () => {
    const page = await browser.signIn('/vms/web-17', makeToken(gateway, { level: 'read', vms: ['*'] }));
    const pause = page.getByRole('button', { name: 'Shut down' });
    await expect.poll(() => pause.getAttribute('aria-disabled'), patience).toBe('true');
    await pause.hover();
    await page.getByRole('tooltip').getByText('operate').waitFor();
    await lookAt(page, 'read-only');
    await page.close();
  },
  patientMs,
);

it('ran without an error and without anything that its policy refused', () => {
  expect(browser.faults).toEqual([]);
});
