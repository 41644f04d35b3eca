import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeMachine } from '../fake-machine.js';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from '../gateway-scene.js';
import { ConsoleBrowser, lookAt } from './console-scene.js';
import { deepBlocks } from './deep-blocks.js';
import { hostileIntrospection, introspectionOf, script } from './hostile-introspection.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let browser: ConsoleBrowser;
let directory: string;
let vm: string;

const file = (name: string): string => path.join(directory, name);
const image = (...args: string[]): unknown => execFileSync('qemu-img', args, { stdio: 'pipe' });

/** Serves an image as raw bytes over NBD. @returns its socket */
async function nbdServer(name: string): Promise<string> {
  const socket = file('nbd.sock');
  const server = spawn('qemu-nbd', ['--persistent', '--format=raw', `--socket=${socket}`, file(name)], {
    stdio: 'ignore',
  });
  scene.keep(server, () => server.kill('SIGKILL'));
  await expect.poll(() => existsSync(socket), { timeout: 20_000 }).toBe(true);
  return socket;
}

beforeAll(async () => {
  directory = scene.directory();
  image('create', '-q', '-f', 'qcow2', file('data.qcow2'), '64M');
  image('create', '-q', '-f', 'qcow2', file('base.qcow2'), '1G');
  image('create', '-q', '-f', 'qcow2', '-b', file('base.qcow2'), '-F', 'qcow2', file('top.qcow2'));
  const disk = `driver=qcow2,node-name=disk,file.driver=file,file.filename=${file('top.qcow2')}`;
  const qemu = await scene.qemu({
    machine: 'q35',
    args: [
      ...['-blockdev', disk, '-device', 'virtio-blk-pci,id=disk0,drive=disk'],
      ...['-device', 'pcie-root-port,id=port0,chassis=1', '-device', 'virtio-rng-pci,id=rng0'],
    ],
  });
  gateway = await scene.gateway();
  browser = await ConsoleBrowser.open(scene, gateway);
  vm = await registerVm(gateway, `unix:${qemu.socket}`);
});
afterAll(() => scene.end());

const field = (page: Page, pointer: string) => page.locator(`[id="argument${pointer}"]`);
const kindOf = (page: Page, pointer: string) => page.locator(`[id="argument${pointer}~kind"]`);

describe('any command by its form', () => {
  it('a qcow2 image over NBD is opened by clicks, and stands in the block graph', async () => {
    const socket = await nbdServer('data.qcow2');
    const page = await browser.signIn(`/vms/${vm}/commands`);
    await page.getByLabel('Search commands').fill('blokdev-add');
    await page.getByText('No command has these words').waitFor();
    await page.getByRole('menuitem', { name: /^blockdev-add/ }).click();

    await field(page, '/driver').selectOption('qcow2');
    await kindOf(page, '/file').selectOption({ label: 'BlockdevOptions' });
    await field(page, '/file/driver').selectOption('nbd');
    await page.getByRole('button', { name: 'Run blockdev-add' }).click();
    await page.getByText('/file/server/type: choose a value').waitFor();
    await field(page, '/file/server/type').selectOption('unix');
    await field(page, '/file/server/path').fill(socket);
    const optional = page.getByRole('button', { name: /optional fields/ });
    await optional.last().click();
    await field(page, '/node-name').fill('data1');

    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.getByText('Nothing was sent').waitFor();
    await page.setViewportSize({ width: 1440, height: 1900 });
    await lookAt(page, 'command-form');
    await page.setViewportSize({ width: 1440, height: 1000 });
    await page.getByRole('button', { name: 'Run blockdev-add' }).click();
    await page.getByText('blockdev-add: done').first().waitFor();
    const named = JSON.parse((await run(gateway, vm, 'query-named-block-nodes')).text) as { 'node-name': string }[];
    expect(named.map((node) => node['node-name'])).toContain('data1');

    await page.getByRole('tab', { name: 'Block graph' }).click();
    await page.getByRole('button', { name: /^data1 qcow2, 64 MiB/ }).click();
    await page.getByRole('tree', { name: 'Answer of data1' }).waitFor();
    await lookAt(page, 'block-graph');
    await page.getByRole('button', { name: 'Tree' }).click();
    await page.getByRole('treeitem', { name: /disk0/ }).first().waitFor();
    await lookAt(page, 'block-tree');

    await page.getByRole('tab', { name: 'Commands' }).click();
    await page.getByRole('button', { name: 'Forget all' }).waitFor();
    await lookAt(page, 'command-history');
    await page.getByRole('button', { name: 'blockdev-add', exact: true }).click();
    expect(await field(page, '/file/server/path').inputValue()).toBe(socket);
    expect(browser.faults).toEqual([]);
  });

  it('integers of 64 bits go out and come back digit for digit, and answers are trees', async () => {
    const page = await browser.signIn(`/vms/${vm}/commands/object-add`);
    await field(page, '/qom-type').selectOption('iothread');
    await field(page, '/id').fill('thread-1');
    await page.getByRole('button', { name: /optional fields/ }).click();
    await field(page, '/poll-max-ns').fill('0x7fffffffffffffff');
    await page.getByText('Sends 9223372036854775807.').waitFor();
    await page.getByRole('button', { name: 'Run object-add' }).click();
    await page.getByText('object-add: done').first().waitFor();
    await page.goto(`${gateway.url}/console/vms/${vm}/commands/query-iothreads`);
    await page.getByRole('button', { name: 'Run query-iothreads' }).click();
    await page.getByRole('treeitem', { name: /poll-max-ns/ }).waitFor();
    expect(await page.getByRole('treeitem', { name: /poll-max-ns/ }).innerText()).toContain('9223372036854775807');
    expect(browser.faults).toEqual([]);
  });

  it('what the VM refuses is said, and what an exact schema refuses stands at its field', async () => {
    const page = await browser.signIn(`/vms/${vm}/commands/device_add`);
    await field(page, '/driver').fill('no-such-device');
    await page.getByRole('button', { name: 'Run device_add' }).click();
    await page.getByText('device_add: refused by the VM').waitFor();
    await page
      .getByText(/is not a valid device model name/)
      .first()
      .waitFor();
    await page.goto(`${gateway.url}/console/vms/${vm}/commands/qury-status`);
    await page.getByRole('link', { name: 'query-status', exact: true }).click();
    await page.getByText('It takes no arguments.').waitFor();
  });

  it('level read is offered what it may run, and told why not for the rest', async () => {
    const token = makeToken(gateway, { level: 'read', name: 'reader', vms: [vm] } as never);
    const page = await browser.signIn(`/vms/${vm}/commands/blockdev-add`, token);
    const runs = page.getByRole('button', { name: 'Run blockdev-add' });
    await runs.waitFor();
    expect(await runs.getAttribute('aria-disabled')).toBe('true');
    await runs.hover();
    await page.getByText('It needs level configure; you have level read.').waitFor();
    await page.getByLabel('Search commands').fill('query-status');
    await page.getByRole('menuitem', { name: /^query-status / }).click();
    await page.getByRole('button', { name: 'Run query-status' }).click();
    await page.getByRole('treeitem', { name: /prelaunch/ }).waitFor();
  });
});

describe('devices and objects', () => {
  it('a device is plugged in by the form, and its unplugging is followed', async () => {
    const page = await browser.signIn(`/vms/${vm}/devices`);
    await page.getByRole('link', { name: '/machine/peripheral/disk0' }).waitFor();
    await page.getByRole('button', { name: 'Plug in a device' }).click();
    await field(page, '/driver').fill('virtio-net-pci');
    await page.getByRole('button', { name: /optional fields/ }).click();
    await field(page, '/id').fill('net0');
    await field(page, '/bus').fill('port0');
    await page.getByRole('button', { name: 'Add a property' }).click();
    await page.getByLabel('Name of property 1').fill('mac');
    await page.getByLabel('Value of mac').fill('52:54:00:12:34:56');
    await lookAt(page, 'devices');
    await page.getByRole('button', { name: 'Run device_add' }).click();
    await page.getByRole('link', { name: '/machine/peripheral/net0' }).waitFor();
    await page.getByRole('button', { name: 'Unplug net0' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Unplug', exact: true }).click();
    await page
      .getByText(/Unplug net0 from/)
      .first()
      .waitFor();
    expect(browser.faults).toEqual([]);
  });

  it('the object tree is walked, values are read and set', async () => {
    const page = await browser.signIn(`/vms/${vm}/qom/machine/peripheral/rng0`);
    await page.getByRole('button', { name: 'Read max-bytes' }).click();
    await page.getByText('9223372036854775807').waitFor();
    await lookAt(page, 'object');
    await page.getByRole('treeitem', { name: 'disk0' }).getByText('disk0', { exact: true }).click();
    await page.getByRole('heading', { name: /peripheral\/disk0/ }).waitFor();
    await page.goto(`${gateway.url}/console/vms/${vm}/qom/machine`);
    await page.getByRole('button', { name: 'Read graphics' }).click();
    await page.getByRole('button', { name: 'Set graphics' }).click();
    await page.getByLabel('Value, as JSON').fill('nonsense');
    expect(await page.getByRole('dialog').getByRole('button', { name: 'Set' }).isDisabled()).toBe(true);
    await page.getByLabel('Value, as JSON').fill('false');
    await page.getByRole('dialog').getByRole('button', { name: 'Set' }).click();
    await page
      .getByText(/Set graphics of \/machine/)
      .first()
      .waitFor();
    expect((await run(gateway, vm, 'qom-get', '{"path":"/machine","property":"graphics"}')).text).toBe('false');
    expect(browser.faults).toEqual([]);
  });
});

describe('what is large', () => {
  it('a backing chain of 40 and its jobs are drawn, and are a tree', async () => {
    const { fake, endpoint } = await fakeMachine(scene);
    fake.on('query-qmp-schema', () => ({ json: introspectionOf(Object.keys(deepBlocks)) }));
    for (const [name, answer] of Object.entries(deepBlocks)) fake.on(name, () => ({ json: JSON.stringify(answer) }));
    const deep = await registerVm(gateway, endpoint);
    const page = await browser.signIn(`/vms/${deep}/blocks`);
    await page.getByRole('button', { name: /^copy0 mirror, running, 37.5 %/ }).waitFor();
    expect(await page.getByRole('button', { name: /^layer/ }).count()).toBe(40);
    await lookAt(page, 'block-graph-deep');
    await page.getByRole('button', { name: 'Tree' }).click();
    await page
      .getByRole('treeitem', { name: /layer39/ })
      .first()
      .waitFor();
    await lookAt(page, 'block-tree-deep');
    expect(browser.faults).toEqual([]);
  });

  it('an answer of 5 MB is a tree of which what is in sight is on the page', async () => {
    const { fake, endpoint } = await fakeMachine(scene);
    fake.on('query-qmp-schema', () => ({ json: introspectionOf(['query-rx-filter']) }));
    const items = Array.from({ length: 40_000 }, (_, index) => ({ index, text: 'x'.repeat(100), big: '@' }));
    const json = JSON.stringify(items).replaceAll('"@"', '18446744073709551615');
    expect(json.length).toBeGreaterThan(5e6);
    fake.on('query-rx-filter', () => ({ json }));
    const large = await registerVm(gateway, endpoint);
    const page = await browser.signIn(`/vms/${large}/commands/query-rx-filter`);
    await page.getByRole('button', { name: 'Run query-rx-filter' }).click();
    const rows = page.getByRole('treeitem');
    await page.getByRole('treeitem', { name: /^0 … 499/ }).waitFor();
    await page.getByRole('tree').focus();
    await page.keyboard.press('End');
    await page.getByRole('treeitem', { name: /39500 … 39999/ }).click();
    await page.keyboard.press('End');
    await page.getByRole('treeitem', { name: /39999/ }).last().click();
    await page.keyboard.press('End');
    await page.getByRole('treeitem', { name: /18446744073709551615/ }).waitFor();
    expect(await rows.count()).toBeLessThan(100);
    expect(browser.faults).toEqual([]);
  });
});

describe('a hostile VM', () => {
  it('runs no script, whatever its model and its answers say', async () => {
    const { fake, endpoint } = await fakeMachine(scene);
    fake.on('query-qmp-schema', () => ({ json: hostileIntrospection }));
    fake.on('query-rx-filter', () => ({ json: JSON.stringify({ [script]: [script], text: script }) }));
    const hostile = await registerVm(gateway, endpoint);
    const page = await browser.signIn(`/vms/${hostile}/commands/query-rx-filter`);
    await page.getByRole('button', { name: /optional field/ }).click();
    await page.getByLabel(script, { exact: true }).waitFor();
    await page.getByText('javascript').first().waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Run query-rx-filter' }).click();
    await page
      .getByRole('treeitem', { name: /onerror/ })
      .first()
      .waitFor();
    await page.getByRole('tab', { name: 'Block graph' }).click();
    await page.getByText('No block graph').waitFor();
    expect(await page.evaluate('window.owned')).toBeUndefined();
    expect(browser.faults).toEqual([]);
  });
});
