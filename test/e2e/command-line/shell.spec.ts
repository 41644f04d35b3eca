import { statSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, registerVm, run } from '../gateway-scene.js';
import { clientHome, inHome, runClient, type ClientHome } from './client-process.js';
import { Terminal } from './terminal.js';

const scene = new GatewayScene();
const deadline = { timeout: 30_000 };
let gateway: GatewayProcess;
let vm: string;
let home: ClientHome;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'q35' })).socket}`);
  home = clientHome(scene, gateway);
});
afterAll(() => scene.end());

async function shell(size?: { columns?: number; rows?: number }): Promise<Terminal> {
  const terminal = await Terminal.open(scene, home, size);
  await terminal.enter(`qmpctl shell ${vm}`);
  await expect.poll(() => terminal.screen(), deadline).toMatch(new RegExp(`^${vm}> ?$`, 'm'));
  return terminal;
}

const lastLine = async (terminal: Terminal): Promise<string> => (await terminal.screen()).split('\n').at(-1) ?? '';

describe('shell, on a terminal', () => {
  it('completes commands, keys, enumerations, nested members and drivers', async () => {
    const terminal = await shell();
    await terminal.type('device_add driver=virtio-n');
    await terminal.press('Tab');
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}> device_add driver=virtio-net-`);
    await terminal.press('Tab');
    await expect.poll(() => terminal.screen(), deadline).toContain('driver=virtio-net-pci');
    await terminal.press('C-u');
    await terminal.type('device_a');
    await terminal.press('Tab');
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}> device_add`);
    await terminal.type('dri');
    await terminal.press('Tab');
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}> device_add driver=`);
    await terminal.press('C-u');
    await terminal.type('blockdev-add driver=qco');
    await terminal.press('Tab');
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}> blockdev-add driver=qcow`);
    await terminal.type('2 file.dri');
    await terminal.press('Tab');
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}> blockdev-add driver=qcow2 file.driver=`);
    await terminal.type('file file.filen');
    await terminal.press('Tab');
    await expect
      .poll(() => lastLine(terminal), deadline)
      .toBe(`${vm}> blockdev-add driver=qcow2 file.driver=file file.filename=`);
  });

  it('shows events between the lines, and leaves what is being typed whole, also over several rows', async () => {
    const terminal = await shell({ columns: 60 });
    const typed = `qom-list path=/machine/${'peripheral-'.repeat(8)}and-the-end`;
    await terminal.type(typed);
    const whole = `${vm}> ${typed}`;
    const rows = whole.match(/.{1,60}/g) ?? [];
    await expect.poll(() => terminal.screen(), deadline).toContain(rows.join('\n'));
    await run(gateway, vm, 'cont');
    await run(gateway, vm, 'stop');
    await expect.poll(() => terminal.screen(), deadline).toMatch(/RESUME[^]*STOP[^]*-the-end$/);
    const screen = await terminal.screen();
    expect(screen.endsWith(rows.join('\n'))).toBe(true);
    expect(screen.split(rows[0] ?? '').length).toBe(2);
    // It can still be edited.
    await terminal.press('BSpace', 'BSpace', 'BSpace');
    await expect.poll(() => terminal.screen(), deadline).toMatch(/-the-$/);
  });

  it('takes JSON over several lines, HMP, wrong lines and Ctrl-C, and keeps the history of the VM', async () => {
    const terminal = await shell();
    await terminal.enter('qom-list path="/objects" ');
    await expect.poll(() => terminal.screen(), deadline).toContain('"type"');
    await terminal.enter('{"execute": "query-status",');
    await expect.poll(() => lastLine(terminal), deadline).toMatch(/^ *\.\.\.$/);
    await terminal.enter('"arguments": {}}');
    await expect.poll(() => terminal.screen(), deadline).toContain('"status": "paused"');
    await terminal.enter('!info version');
    await expect.poll(() => terminal.screen(), deadline).toMatch(/^\d+\.\d+\.\d+/m);
    await terminal.enter('query-statsu');
    await expect.poll(() => terminal.screen(), deadline).toContain('no command "query-statsu"');
    await terminal.type('stop this {');
    await terminal.press('C-c');
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}>`);
    await terminal.enter('quit');
    await expect.poll(() => lastLine(terminal), deadline).toContain('End the VM? [y/N]');
    await terminal.enter('n');
    await terminal.enter(' help stop');
    await expect.poll(() => terminal.screen(), deadline).toContain('Returns');
    await terminal.press('C-d');
    await expect.poll(() => lastLine(terminal), deadline).toBe('$');
    expect((await run(gateway, vm, 'query-status')).status).toBe(200);

    const directory = inHome(home, '.local/state/qmp-gateway/history');
    const [file = ''] = readdirSync(directory);
    expect(statSync(`${directory}/${file}`).mode & 0o777).toBe(0o600);
    await terminal.enter(`qmpctl shell ${vm}`);
    await expect.poll(() => lastLine(terminal), deadline).toBe(`${vm}>`);
    await terminal.press('Up');
    // Neither what began with a space, nor what was answered.
    await expect.poll(() => lastLine(terminal), deadline).toMatch(/> quit$/);
  });
});

describe('shell, from a pipe', () => {
  it('runs line by line without a prompt, and has the status of the last failure', { timeout: 120_000 }, async () => {
    const script = 'query-status\n# a comment\nqom-list {\n"path"\n';
    expect((await runClient(scene, home, ['shell', vm], script)).status).toBe(2);
    const lines = 'device_del id=nobody\n{"execute":\n "query-status"}\n!info version\n';
    const { status, stdout, stderr } = await runClient(scene, home, ['shell', vm], lines);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^\{\n {2}"status": "paused",[^]*\}\n\d+\.\d+/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
