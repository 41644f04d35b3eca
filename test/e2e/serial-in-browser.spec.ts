/** The page of `examples/serial`, with xterm.js in a real browser, on a console of a real Linux. */
import path from 'node:path';
import { bootLinuxGuest, type LinuxGuest } from '@qmp-gateway/test-kit';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from './chromium.js';
import { picture, serveExample } from './example-page.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let guest: LinuxGuest;
let gateway: GatewayProcess;
let browser: Browser;
let origin: string;
let vm: string;
let state: string;
let settings: Record<string, unknown>;

beforeAll(async () => {
  origin = await serveExample(scene, 'serial', { '/xterm/': 'node_modules/@xterm/xterm' });
  const directory = scene.directory();
  state = path.join(scene.directory(), 'state');
  settings = { allowedOrigins: [origin], serials: { paths: [`${directory}/*`] } };
  gateway = await scene.gateway({ state, settings });
  const line = `socket,id=console,path=${path.join(directory, 'console')},server=on,wait=off`;
  guest = await scene.start(
    bootLinuxGuest({ args: ['-chardev', line, '-device', 'virtconsole,chardev=console,id=hvc'] }),
    (booted) => booted.stop(),
  );
  vm = await registerVm(gateway, `unix:${guest.socket}`);
  await exchange(gateway, `/v1/vms/${vm}/serials`);
  await guest.run(`mkdir -p /etc && echo 'root::0:0:root:/:/bin/sh' > /etc/passwd`);
  await guest.run('echo said before anybody looked > /dev/hvc0');
  await guest.run('(while :; do setsid getty -L 0 hvc0 vt100; done > /dev/null 2>&1 &)');
  browser = await scene.start(launchChromium(), (started) => started.close());
}, 120_000);
afterAll(() => scene.end());

async function openPage(): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => process.stdout.write(`the page: ${error.message}\n`));
  await page.goto(origin);
  await page.locator('[name=gateway]').fill(gateway.url);
  await page.locator('[name=token]').fill(gateway.token ?? '');
  await page.locator('[name=vm]').fill(vm);
  await page.locator('[name=serial]').fill('console');
  await page.getByRole('button', { name: 'Open' }).click();
  return page;
}

const note = (page: Page) => page.locator('output').innerText();
/** All lines of the terminal, with those that scrolled away. */
const shown = (page: Page) =>
  page.evaluate<string>(`(() => {
    const { active } = globalThis.terminal.buffer;
    return Array.from({ length: active.length }, (_, at) => active.getLine(at).translateToString(true)).join('\\n');
  })()`);
const says = (page: Page, text: string) => expect.poll(() => shown(page), { timeout: 30_000 }).toContain(text);

it('shows what was said before, types on a real console, and comes back after a restart of the gateway', async () => {
  const typist = await openPage();
  await says(typist, 'said before anybody looked');
  await typist.locator('.xterm').click();
  await typist.keyboard.press('Enter');
  await says(typist, 'login:');
  await expect.poll(() => note(typist)).toBe('typing');
  await typist.keyboard.type('root\n');
  await says(typist, '#');
  await typist.keyboard.type('ls /\n');
  await says(typist, 'proc');
  await picture(typist, 'serial-typist');

  const other = await openPage();
  await says(other, 'proc');
  await expect.poll(() => note(other)).toBe('root types');
  await other.getByRole('button', { name: 'Take over' }).click();
  await expect.poll(() => note(other)).toBe('typing');
  await expect.poll(() => note(typist)).toBe('root types');
  await other.locator('.xterm').click();
  await other.keyboard.type('echo $((40+2)) answers\n');
  await Promise.all([typist, other].map((page) => says(page, '42 answers')));

  const { port } = new URL(gateway.url);
  await gateway.stop();
  await expect.poll(() => note(typist), { timeout: 20_000 }).toContain('lost');
  gateway = await scene.gateway({ state, settings, listen: [`127.0.0.1:${port}`] });
  await says(typist, 'bytes are missing here');
  await guest.run('echo back again > /dev/hvc0');
  await Promise.all([typist, other].map((page) => says(page, 'back again')));
  await picture(typist, 'serial-back');
}, 180_000);
