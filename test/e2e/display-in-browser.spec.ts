/** The page of `examples/display`, with noVNC in a real browser, on the console of a real Linux. */
import { bootLinuxGuest, type LinuxGuest } from '@qmp-gateway/test-kit';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from './chromium.js';
import { picture, serveExample } from './example-page.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let guest: LinuxGuest;
let gateway: GatewayProcess;
let browser: Browser;
let origin: string;
let vm: string;

beforeAll(async () => {
  origin = await serveExample(scene, 'display', { '/novnc/': 'node_modules/@novnc/novnc' });
  gateway = await scene.gateway({ settings: { listen: ['127.0.0.1:0'], allowedOrigins: [origin] } });
  guest = await scene.start(
    bootLinuxGuest({ args: ['-device', 'VGA', '-vnc', 'none', '-append', 'console=tty0 console=ttyS0 panic=-1'] }),
    (booted) => booted.stop(),
  );
  vm = await registerVm(gateway, `unix:${guest.socket}`);
  await guest.run(`mkdir -p /etc && echo 'root::0:0:root:/:/bin/sh' > /etc/passwd`);
  await guest.run('(setsid getty -i 38400 tty1 < /dev/tty1 > /dev/tty1 2>&1 &)');
  const opened = await exchange(gateway, `/v1/vms/${vm}/displays/default`, { method: 'POST' });
  expect(opened.json()).toMatchObject({ available: true });
  browser = await scene.start(launchChromium(), (started) => started.close());
}, 120_000);
afterAll(() => scene.end());

/** What the guest's console shows. */
const shown = () => guest.run('fold -w 80 /dev/vcs1; echo');

async function openPage(token: string, { view = false } = {}): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => process.stdout.write(`the page: ${error.message}\n`));
  await page.goto(origin);
  await page.locator('[name=gateway]').fill(gateway.url);
  await page.locator('[name=token]').fill(token);
  await page.locator('[name=vm]').fill(vm);
  if (view) await page.locator('[name=view]').check();
  return page;
}

const note = (page: Page) => page.locator('output').innerText();

/** Pixels of the page's canvas that are not black. */
const lit = (page: Page) =>
  page.evaluate<number>(`(() => {
    const canvas = document.querySelector('#screen canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let lit = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] + data[at + 1] + data[at + 2] > 0) lit++;
    return lit;
  })()`);

it('shows a real console and types on it; who looks only types nowhere; who is taken over is told', async () => {
  await expect.poll(shown, { timeout: 30_000 }).toContain('login:');
  const typist = await openPage(gateway.token ?? '');
  await typist.getByRole('button', { name: 'Open' }).click();
  await expect.poll(() => note(typist), { timeout: 20_000 }).toBe('typing');
  await expect.poll(() => lit(typist), { timeout: 20_000 }).toBeGreaterThan(100);

  const reader = makeToken(gateway, { level: 'read', vms: [vm] });
  const looker = await openPage(reader);
  await looker.getByRole('button', { name: 'Open' }).click();
  await expect.poll(() => note(looker), { timeout: 20_000 }).toBe('typing');
  await expect.poll(() => lit(looker), { timeout: 20_000 }).toBeGreaterThan(100);
  // The page believes that it types; the gateway knows better.
  await looker.locator('#screen canvas').click();
  await looker.keyboard.type('intruder', { delay: 20 });

  await typist.locator('#screen canvas').click();
  await typist.keyboard.type('root', { delay: 20 });
  await expect.poll(shown, { timeout: 20_000 }).toContain('login: root');
  await typist.keyboard.press('Enter');
  await expect.poll(shown, { timeout: 20_000 }).toContain('#');
  // Playwright presses no Shift for a character that needs it.
  await typist.keyboard.type('seq 7391 7393', { delay: 20 });
  await typist.keyboard.press('Enter');
  await expect.poll(shown, { timeout: 20_000 }).toContain('7392');
  expect(await shown()).not.toContain('intruder');
  await picture(typist, 'typist');
  await picture(looker, 'looker');

  const taker = await openPage(gateway.token ?? '');
  await taker.getByRole('button', { name: 'Open' }).click();
  await expect.poll(() => note(taker), { timeout: 20_000 }).toMatch(/^4409 root types/);
  await taker.getByRole('button', { name: 'Take over' }).click();
  await expect.poll(() => note(typist), { timeout: 20_000 }).toBe('4409 taken over by root');
  await expect.poll(() => note(taker), { timeout: 20_000 }).toBe('typing');
  await picture(taker, 'taker');
}, 120_000);
