/** Events, operations, guest agent and charts of the console, in a real browser before real QEMUs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, startGuestAgent } from '../e2e/agent-scene.js';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { ConsoleBrowser, lookAt } from '../e2e/console/console-scene.js';

const mebibyte = 2 ** 20;
const scene = new GatewayScene();
let gateway: GatewayProcess;
let browser: ConsoleBrowser;
let machine: FakeMachine;
let state: string;
let settings: Record<string, unknown>;
/** On this machine, for the agent to write to. */
let directory: string;

beforeAll(async () => {
  directory = scene.directory();
  state = path.join(scene.directory(), 'state');
  const disk = path.join(directory, 'disk');
  writeFileSync(disk, Buffer.alloc(64 * mebibyte, 0x5a));
  await startGuestAgent(scene, directory);
  const machineWithDisk = await scene.qemu({
    ...{ machine: 'pc', accel: 'tcg' },
    args: ['-drive', `file=${disk},format=raw,if=virtio,id=root`, '-device', 'virtio-balloon-pci'],
  });
  const bare = await scene.qemu();
  machine = await fakeMachine(scene);
  settings = {
    ...fakeMachineSettings,
    vms: {
      'web-17': { endpoint: `unix:${machineWithDisk.socket}`, agent: `unix:${directory}/qga`, labels: { tenant: 'a' } },
      'db-1': { endpoint: `unix:${bare.socket}`, labels: { tenant: 'b' } },
      flood: { endpoint: machine.endpoint },
    },
  };
  gateway = await scene.gateway({ settings, state });
  for (const vm of ['web-17', 'db-1', 'flood']) await gateway.vmBecomes(vm, 'ready');
  await agentBecomes(gateway, 'web-17', 'ready');
  browser = await ConsoleBrowser.open(scene, gateway);
}, 180_000);
afterAll(() => scene.end());

const command = async (vm: string, name: string, args: object = {}): Promise<void> => {
  const answer = await run(gateway, vm, name, JSON.stringify(args));
  if (answer.status !== 200) throw new Error(`${name}: ${answer.text}`);
};
const eventRow = (page: Page, text: string | RegExp) => page.locator('.qg-event').filter({ hasText: text });
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

describe('events', () => {
  it('of the last hour are there, open to their data, and are filtered by the address', async () => {
    await command('web-17', 'cont');
    await command('web-17', 'stop');
    await command('web-17', 'cont');
    const page = await browser.signIn('/vms/web-17/events');
    await eventRow(page, 'RESUME').first().click();
    await page.getByRole('heading', { name: 'RESUME' }).waitFor();
    await button(page, 'Close the details').click();
    await eventRow(page, 'vm-changed').first().click();
    await page.getByRole('heading', { name: 'vm-changed' }).waitFor();
    await lookAt(page, 'live-events-of-a-vm');

    await eventRow(page, 'RESUME').first().click();
    await page.getByRole('heading', { name: 'RESUME' }).waitFor();
    await button(page, 'Only these').click();
    await expect.poll(() => eventRow(page, 'vm-changed').count()).toBe(0);
    expect(new URL(page.url()).searchParams.get('event')).toBe('RESUME');
    await page.reload();
    await eventRow(page, 'RESUME').first().waitFor();
    expect(await eventRow(page, 'STOP').count()).toBe(0);
    await page.goBack();
    await eventRow(page, 'STOP').first().waitFor();
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('of all VMs come as they happen, and stay in place while they are paused', async () => {
    const page = await browser.signIn('/events');
    await page.getByText('No events').waitFor();
    await lookAt(page, 'live-events-none');
    await command('db-1', 'cont');
    await command('web-17', 'stop');
    await eventRow(page, 'STOP').first().waitFor();
    await button(page, 'Pause').click();
    const shown = await page.locator('.qg-event').count();
    await command('web-17', 'cont');
    await button(page, /Resume \(\d+ new\)/).waitFor();
    expect(await page.locator('.qg-event').count()).toBe(shown);
    await button(page, /Resume/).click();
    await eventRow(page, 'RESUME').filter({ hasText: 'web-17' }).first().waitFor();
    await page.getByRole('textbox', { name: 'Labels of VMs' }).fill('tenant=b');
    await expect.poll(() => new URL(page.url()).searchParams.get('label')).toBe('tenant=b');
    await command('web-17', 'stop');
    // What comes before the filter is heard is not of the list, which is one from now on.
    const ofDatabase = eventRow(page, 'db-1').filter({ hasText: 'STOP' });
    const stopsAgain = async () => {
      await command('db-1', 'cont');
      await command('db-1', 'stop');
      return ofDatabase.count();
    };
    await expect.poll(stopsAgain, { timeout: 60_000, interval: 1000 }).toBeGreaterThan(0);
    expect(await eventRow(page, 'web-17').count()).toBe(0);
    await command('web-17', 'cont');
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('come by the thousand each second, and the page stays usable', async () => {
    const page = await browser.signIn('/events?event=FLOOD');
    await page.getByText('No events').waitFor();
    const total = 11_000;
    let sent = 0;
    const timer = setInterval(() => {
      for (let index = 0; index < 100 && sent < total; index++)
        machine.fake.emit('FLOOD', { number: ++sent, device: `virtio-disk${sent % 7}` });
    }, 100);
    scene.keep(timer, clearInterval);
    await eventRow(page, 'FLOOD').first().waitFor();
    await lookAt(page, 'live-events-flood');
    await button(page, 'Pause').click();
    await eventRow(page, 'FLOOD').nth(3).click();
    await page.getByRole('heading', { name: 'FLOOD' }).waitFor();
    await button(page, 'Close the details').click();
    await button(page, /Resume/).click();
    await expect.poll(() => sent, { timeout: 60_000 }).toBe(total);
    clearInterval(timer);
    // The newest are there, only those in sight exist, and what did not fit is counted.
    await eventRow(page, `number: ${total} `).waitFor();
    expect(await page.locator('.qg-event').count()).toBeLessThan(100);
    await page.getByText('10,000 events').first().waitFor();
    await page.getByText('1,000 older ones no longer fit').waitFor();
    expect(await page.getByText(/missing here/).count()).toBe(0);
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('that are hostile are text', async () => {
    const script = '<img src=x onerror="globalThis.wasRun=1"><script>globalThis.wasRun=1</script>';
    const page = await browser.signIn('/vms/flood/events');
    await page.locator('.qg-event').first().waitFor();
    machine.fake.emit('HOSTILE', {
      [script]: script,
      ['__proto__']: { polluted: true },
      long: 'x'.repeat(100_000),
      link: 'javascript:globalThis.wasRun=1',
      control: '\u202e\u0007\u001b[31m',
      nested: Array.from({ length: 500 }, () => [script]),
    });
    await eventRow(page, 'HOSTILE').first().click();
    await page.getByRole('heading', { name: 'HOSTILE' }).waitFor();
    await page.getByText(script).first().waitFor();
    await lookAt(page, 'live-events-hostile');
    expect(await page.evaluate('globalThis.wasRun ?? {}.polluted ?? "nothing"')).toBe('nothing');
    expect(await page.locator('img[src=x], a[href^=javascript]').count()).toBe(0);
    expect(browser.faults).toEqual([]);
  }, 180_000);
});

describe('operations', () => {
  it('show how far a job is, and are paused, resumed and cancelled', async () => {
    for (const name of ['copy-from', 'copy-to'])
      await command('web-17', 'blockdev-add', { driver: 'null-co', 'node-name': name, size: 4096 * mebibyte });
    const page = await browser.signIn('/vms/web-17/operations');
    const args = { 'job-id': 'copy-1', device: 'copy-from', target: 'copy-to', sync: 'full', speed: 20 * mebibyte };
    await command('web-17', 'blockdev-mirror', args);
    const row = page.getByRole('row').filter({ hasText: 'copy-1' });
    await row.getByText(/MiB\/s/).waitFor();
    await row.getByRole('button', { name: 'Details' }).click();
    await page.getByText('All events of the VM since then').waitFor();
    await lookAt(page, 'live-operations');
    await row.getByRole('button', { name: 'Pause' }).click();
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.getByRole('button', { name: 'Pause' }).waitFor();
    await row.getByRole('button', { name: 'Cancel' }).click();
    await row.getByText('Cancelled', { exact: true }).waitFor();
    expect(await row.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    await page.goto(`${gateway.url}/console/operations`);
    await page.getByRole('row').filter({ hasText: 'blockdev-mirror' }).filter({ hasText: 'web-17' }).waitFor();
    await lookAt(page, 'live-operations-of-all');
    expect(browser.faults).toEqual([]);
  }, 180_000);
});

describe('the guest agent', () => {
  it('says what the guest is', async () => {
    const page = await browser.signIn('/vms/web-17/agent');
    await page.getByText('Kernel').waitFor();
    await page.getByText('Not frozen').waitFor();
    await page.getByRole('grid', { name: 'Network interfaces' }).getByText('lo', { exact: true }).waitFor();
    await lookAt(page, 'live-agent');
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('runs programs and says how they ended', async () => {
    const page = await browser.signIn('/vms/web-17/agent/programs');
    await page
      .getByRole('textbox', { name: 'Command line' })
      .fill('echo "<b>hello</b> from the guest"; echo oops >&2; exit 3');
    await button(page, 'Run in the guest').click();
    await page.getByText('Exit code 3').waitFor();
    expect(await page.getByTestId('program-stdout').innerText()).toContain('<b>hello</b> from the guest');
    expect(await page.getByTestId('program-stderr').innerText()).toContain('oops');
    await lookAt(page, 'live-agent-programs');
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('reads and writes files', async () => {
    const page = await browser.signIn('/vms/web-17/agent/files');
    const there = path.join(directory, 'files');
    mkdirSync(there);
    writeFileSync(path.join(there, 'motd'), 'welcome <script>\n');
    const [read, write] = [page.locator('#agent-read'), page.locator('#agent-write')];
    await read.fill(path.join(there, 'motd'));
    await button(page, 'Read').click();
    await expect.poll(() => page.getByTestId('file-text').innerText()).toContain('welcome <script>');
    const saved = page.waitForEvent('download');
    await button(page, 'Save').click();
    expect(readFileSync(await (await saved).path(), 'utf8')).toBe('welcome <script>\n');
    await write.fill(path.join(there, 'written'));
    const content = Buffer.alloc(100_000, 'bytes ');
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'local.bin', mimeType: 'application/octet-stream', buffer: content });
    await button(page, 'Write').click();
    await page.getByText('read back and the same').waitFor();
    expect(readFileSync(path.join(there, 'written')).equals(content)).toBe(true);
    await lookAt(page, 'live-agent-files');
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('that is not there is said so', async () => {
    const page = await browser.signIn('/vms/db-1/agent');
    await page.getByText('This VM is registered without a guest agent').waitFor();
    await lookAt(page, 'live-agent-none');
  }, 120_000);
});

describe('charts', () => {
  /** How often the VM was asked for its disks. */
  const asked = async (): Promise<number> => {
    const { text } = await exchange(gateway, '/metrics');
    const counts = [...text.matchAll(/^qmpgw_commands_total\{[^}]*command="query-blockstats"[^}]*\} (\d+)/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };

  it('are read while somebody looks, and no longer', async () => {
    const page = await browser.signIn('/vms/web-17/charts?every=1');
    const disks = page.getByRole('region', { name: 'Disks' });
    for (let times = 0; times < 6; times++) {
      const line = `qemu-io root "aio_read ${times}M 1M"`;
      await command('web-17', 'human-monitor-command', { 'command-line': line });
      const before = await asked();
      await expect.poll(asked, { timeout: 30_000 }).toBeGreaterThan(before);
    }
    await disks.getByText('root read').first().waitFor();
    await page.getByText('This VM gives no CPU statistics').waitFor();
    await page.locator('canvas').first().waitFor();
    await lookAt(page, 'live-charts-disks');
    await page.getByRole('heading', { name: 'Memory', exact: true }).scrollIntoViewIfNeeded();
    await page.getByText('guest has').waitFor();
    await lookAt(page, 'live-charts');
    await button(page, 'Measure').click();
    await expect.poll(() => page.getByTestId('dirty-rate').innerText(), { timeout: 30_000 }).toContain('/s');
    await page.getByRole('tab', { name: 'Events' }).click();
    await page.locator('.qg-event').first().waitFor();
    const left = await asked();
    for (let times = 0; times < 3; times++) await command('web-17', 'query-status');
    await page.getByRole('tab', { name: 'Operations' }).click();
    await page.getByRole('grid', { name: 'Operations' }).waitFor();
    expect(await asked()).toBe(left);
    expect(browser.faults).toEqual([]);
  }, 180_000);

  it('say what a VM does not have', async () => {
    const page = await browser.signIn('/vms/db-1/charts');
    await page.getByText('This VM has no disks.').waitFor();
    await page.getByText('This VM has no balloon device').waitFor();
    await page.getByText('QEMU counts no network traffic').waitFor();
    await lookAt(page, 'live-charts-none');
  }, 120_000);
});

describe('a restart of the gateway', () => {
  it('is seen, and what may be missing is said in its place', async () => {
    const page = await browser.signIn('/vms/web-17/events');
    await eventRow(page, 'vm-changed').first().waitFor();
    const { port } = new URL(gateway.url);
    await gateway.stop();
    await page.getByText('No connection to the gateway since').waitFor();
    await lookAt(page, 'live-events-lost');
    gateway = await scene.gateway({ settings, state, listen: [`127.0.0.1:${port}`] });
    await gateway.vmBecomes('web-17', 'ready');
    await page.getByText('Events may be missing here; how many is not known').first().waitFor();
    await command('web-17', 'stop');
    await command('web-17', 'cont');
    await eventRow(page, 'RESUME').first().waitFor();
    await lookAt(page, 'live-events-gap');
    expect(browser.faults).toEqual([]);
  }, 180_000);
});
