import path from 'node:path';
import { bootLinuxGuest } from '@qmp-gateway/test-kit';
import { afterAll, expect, it } from 'vitest';
import { GatewayScene, registerVm } from '../gateway-scene.js';
import { clientHome, runClient } from './client-process.js';
import { Terminal } from './terminal.js';

const scene = new GatewayScene();
const deadline = { timeout: 60_000 };
afterAll(() => scene.end());

it('a serial line of a Linux is a terminal: keys, colours, Ctrl-C go through, Ctrl-] leaves', async () => {
  const directory = scene.directory();
  const line = path.join(directory, 'console');
  const guest = await scene.start(
    bootLinuxGuest({
      args: [
        ...['-chardev', `socket,id=console,path=${line},server=on,wait=off`],
        ...['-device', 'virtconsole,chardev=console,id=hvc'],
      ],
    }),
    (booted) => booted.stop(),
  );
  const gateway = await scene.gateway({ settings: { serials: { paths: [`${directory}/*`] } } });
  const vm = await registerVm(gateway, `unix:${guest.socket}`);
  const home = clientHome(scene, gateway);
  const list = await runClient(scene, home, ['serial', vm, '--list', '-o', 'name']);
  expect([list.status, list.stdout.split('\n')]).toEqual([0, expect.arrayContaining(['console'])]);
  await guest.run("stty sane </dev/hvc0; PS1='guest# ' setsid sh -c 'exec sh -i </dev/hvc0 >/dev/hvc0 2>&1' &");

  const terminal = await Terminal.open(scene, home);
  await terminal.enter(`qmpctl serial ${vm} console`);
  await expect.poll(() => terminal.screen(), deadline).toContain('Ctrl-] leaves');
  await expect.poll(async () => (await terminal.press('Enter'), terminal.screen()), deadline).toMatch(/#\s*$/);
  await terminal.enter('uname -s; echo one two | tr a-z A-Z');
  await expect.poll(() => terminal.screen(), deadline).toMatch(/^Linux\nONE TWO$/m);
  await terminal.press('C-]');
  // The terminal is as it was: it echoes, and has its own prompt.
  await expect.poll(async () => (await terminal.screen()).split('\n').at(-1), deadline).toBe('$');
  await terminal.enter('echo back');
  await expect.poll(() => terminal.screen(), deadline).toMatch(/^\$ echo back\nback$/m);

  const kept = await runClient(scene, home, ['serial', vm, 'console', '--text']);
  expect(kept.stdout).toContain('ONE TWO');
}, 120_000);
