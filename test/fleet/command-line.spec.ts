import { afterAll, expect, it } from 'vitest';
import { change } from '../e2e/fake-machine.js';
import { clientHome, runClient } from '../e2e/command-line/client-process.js';
import { FleetScene } from './fleet-scene.js';

const scene = new FleetScene();
afterAll(() => scene.end());

it('the command line works through an entry of a fleet', async () => {
  await scene.startNats();
  const owner = await scene.node('owner');
  const entry = await scene.node('entry');
  const machine = await scene.vm('web-1', owner, [entry]);
  await scene.vm('web-2', entry, [owner]);
  const home = clientHome(scene, entry);
  const qmpctl = (...args: string[]) => runClient(scene, home, args);
  expect((await qmpctl('nodes', '-o', 'name')).stdout.trimEnd().split('\n').sort()).toEqual(['entry', 'owner']);
  const vms = await qmpctl('vms');
  expect(vms.stdout).toMatch(
    /^VM +STATE +RUN +HEALTH +KIND +VERSION +NODE +SINCE\nweb-1 .* owner .*\nweb-2 .* entry .*\n$/,
  );
  expect((await qmpctl('vms', '--node', 'owner', '-o', 'name')).stdout).toBe('web-1\n');
  expect(await qmpctl('exec', 'web-1', change, 'integer=9007199254740993', '-o', 'jsonl')).toEqual({
    ...{ status: 0, stderr: '' },
    stdout: '{"integer":9007199254740993}\n',
  });
  expect(machine.takeReceived()).toContain(change);
  const all = await qmpctl('exec', 'web-*', 'stop', '-o', 'name');
  expect([all.status, all.stdout.trimEnd().split('\n').sort()]).toEqual([0, ['web-1', 'web-2']]);
  expect(
    (await qmpctl('wait', 'web-1', '--for', 'STOP', '--after', 'oldest', '--timeout', '20s', '-o', 'name')).stdout,
  ).toBe('STOP\n');
  const shell = await runClient(scene, home, ['shell', 'web-1'], `${change} text=a\n`);
  expect([shell.status, JSON.parse(shell.stdout)]).toEqual([0, { text: 'a' }]);
});
