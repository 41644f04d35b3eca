/** Screens and serial lines that several people use at once, on a real Linux: typing, taking over, passwords. */
import path from 'node:path';
import { launchQemu, type LinuxGuest } from '@qmp-gateway/test-kit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import { bootConsoleGuest, ConsoleBrowser, lookAt, patience } from './console-scene.js';

/** Of a test, on a machine that does other things too. */
const patientMs = 240_000;
const password = 'open-5ay';
const scene = new GatewayScene();
let guest: LinuxGuest;
let gateway: GatewayProcess;
let browser: ConsoleBrowser;
let linux: string;
let locked: string;

beforeAll(async () => {
  const directory = scene.directory();
  gateway = await scene.gateway({ settings: { serials: { paths: [`${directory}/*`] } } });
  guest = await bootConsoleGuest(scene, directory);
  linux = await registerVm(gateway, `unix:${guest.socket}`);
  await exchange(gateway, `/v1/vms/${linux}/displays/default`, { method: 'POST' });
  await exchange(gateway, `/v1/vms/${linux}/serials`);
  await guest.run('(while :; do setsid cat < /dev/tty1 >> /typed; done > /dev/null 2>&1 &)');
  const vnc = `unix:${path.join(directory, 'vnc')},password=on`;
  const qemu = await scene.start(launchQemu({ machine: 'pc', args: ['-m', '64', '-vnc', vnc] }), (one) => one.stop());
  locked = await registerVm(gateway, `unix:${qemu.socket}`);
  expect((await run(gateway, locked, 'set_password', JSON.stringify({ protocol: 'vnc', password }))).status).toBe(200);
  browser = await ConsoleBrowser.open(scene, gateway);
}, 240_000);
afterAll(() => scene.end());

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const canvasOf = (page: Page) => page.locator('.qg-screen canvas');

it(
  'types a pasted text, fills the screen, and hands the keyboard from one to the other, who is told',
  async () => {
    const page = await browser.signIn(`/vms/${linux}/screen`);
    await canvasOf(page).waitFor();
    await button(page, 'Paste text').click();
    await page.getByRole('textbox', { name: 'Text to type' }).fill('Hello, World: {"a": [~|]}\n');
    await lookAt(page, 'paste');
    await button(page, 'Type it').click();
    await page.getByText(/Type \d+ characters into .*: done/).waitFor();
    await expect.poll(() => guest.run('cat /typed'), patience).toContain('Hello, World: {"a": [~|]}');

    await button(page, 'Full screen').click();
    await expect.poll(() => page.evaluate('document.fullscreenElement?.className'), patience).toBe('qg-screen');
    await page.evaluate('document.exitFullscreen()');

    const other = await browser.signIn(`/vms/${linux}/screen`, makeToken(gateway, { level: 'operate', vms: ['*'] }));
    // Who comes while somebody types looks on, and is told who that is.
    await other.getByRole('heading', { name: /Somebody else types/ }).waitFor();
    await canvasOf(other).waitFor();
    await button(other, 'Take over').first().click();
    await page.getByRole('heading', { name: /Somebody else types/ }).waitFor();
    await lookAt(page, 'taken-over');
    await button(page, 'Take over').last().click();
    await other.getByRole('heading', { name: /Somebody else types/ }).waitFor();
    await canvasOf(page).waitFor();
    await Promise.all([page.close(), other.close()]);
  },
  patientMs,
);

it(
  'hands a serial line from one to the other, and sends a break',
  async () => {
    const page = await browser.signIn(`/vms/${linux}/serial`);
    await page.locator('.xterm').waitFor();
    await button(page, 'Take over').click();
    await page.getByText('You type', { exact: true }).waitFor();
    const token = makeToken(gateway, { name: 'night-shift', level: 'operate', vms: ['*'] });
    // By the token itself: a way in by a code has a token of its own, which is called `console`.
    const other = await browser.page();
    await other.goto(`${gateway.url}/console/vms/${linux}/serial`);
    await other.getByLabel('Token').fill(token);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.locator('.xterm').waitFor();
    await button(other, 'Take over').click();
    await other.getByText('You type', { exact: true }).waitFor();
    await expect.poll(() => page.locator('.qg-tools').innerText(), patience).toContain('night-shift types');
    await lookAt(page, 'serial-taken-over');
    await button(other, 'Send break').click();
    const breaks = async () => {
      const { text } = await exchange(gateway, '/metrics');
      return text.split('\n').filter((line) => line.includes('command="chardev-send-break"'));
    };
    await expect.poll(breaks, patience).toContainEqual(expect.stringMatching(/^qmpgw_commands_total.* 1$/));
    await Promise.all([page.close(), other.close()]);
  },
  patientMs,
);

it(
  'asks for the password that a display has of its own, and says that it was wrong',
  async () => {
    const page = await browser.signIn(`/vms/${locked}/screen`);
    const field = page.getByLabel('Password of the display');
    await field.fill('not-this');
    await lookAt(page, 'display-password');
    await button(page, 'Open').click();
    await page.getByRole('heading', { name: /The screen was closed/ }).waitFor();
    await page.getByText('The VM refused the password: Authentication failed.').waitFor();
    await lookAt(page, 'display-password-wrong');
    await button(page, 'Try again').click();
    await field.fill(password);
    await button(page, 'Open').click();
    await expect
      .poll(() => page.getByRole('heading', { name: /password|closed|Connecting/ }).count(), patience)
      .toBe(0);
    await expect.poll(() => canvasOf(page).getAttribute('width'), patience).toMatch(/^[1-9]\d\d/);
    await page.close();
  },
  patientMs,
);

it('ran without an error and without anything that its policy refused', () => {
  // noVNC writes down a refused password and that somebody else types, as it was meant to be.
  expect(browser.faults.filter((fault) => !fault.startsWith('Failed when connecting: '))).toEqual([]);
});
