import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, registerVm, run } from '../gateway-scene.js';
import { clientHome, ended, runClient, startClient, type ClientHome, type ClientResult } from './client-process.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;
let home: ClientHome;
const qmpctl = (...args: string[]): Promise<ClientResult> => runClient(scene, home, args);

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'q35' })).socket}`);
  home = clientHome(scene, gateway);
});
afterAll(() => scene.end());

describe('events', () => {
  it('-f prints what comes, a line each, until Ctrl-C', async () => {
    const child = startClient(scene, home, ['events', vm, '-f', '--event', 'STOP,RESUME', '-o', 'jsonl']);
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    const result = ended(child);
    // The stream begins at an unknown time after the start.
    await expect
      .poll(
        async () => {
          await run(gateway, vm, 'cont');
          await run(gateway, vm, 'stop');
          return said.split('\n').length;
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(2);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await result;
    expect([status, stderr]).toEqual([0, '']);
    for (const line of stdout.trimEnd().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ vm, event: expect.stringMatching(/^(?:STOP|RESUME)$/) as string });
  });

  it('prints what is kept, in each format', async () => {
    await run(gateway, vm, 'cont');
    await run(gateway, vm, 'stop');
    const names = await qmpctl('events', vm, '-e', 'STOP', '-o', 'name', '-n', '1');
    expect(names).toEqual({ status: 0, stdout: 'STOP\n', stderr: '' });
    const table = await qmpctl('events', vm, '-e', 'STOP', '-n', '1');
    expect(table.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}vm-\d+ +STOP\n$/);
    const json = await qmpctl('events', vm, '-e', 'STOP', '-o', 'json');
    expect((JSON.parse(json.stdout) as unknown[]).length).toBeGreaterThan(0);
  });
});

describe('wait', () => {
  it('for an event after a cursor has no race', async () => {
    const { headers } = await run(gateway, vm, 'cont');
    await run(gateway, vm, 'stop');
    const waited = await qmpctl(
      'wait',
      vm,
      '--for',
      'STOP',
      '--after',
      String(headers['qmp-event-cursor']),
      '-o',
      'jsonl',
    );
    expect([waited.status, waited.stderr]).toEqual([0, '']);
    expect(JSON.parse(waited.stdout)).toMatchObject({ event: 'STOP', vm });
  });

  it('for a state that is there ends at once, and for one that comes when it comes', async () => {
    expect(await qmpctl('wait', vm, '--for', 'state=ready')).toMatchObject({
      status: 0,
      stdout: `${vm}: ready, paused\n`,
    });
    const running = qmpctl('wait', vm, '--for', 'state=running', '--timeout', '30s');
    await run(gateway, vm, 'cont');
    expect(await running).toMatchObject({ status: 0, stdout: `${vm}: ready, running\n` });
    await run(gateway, vm, 'stop');
  });

  it('for an operation follows it to its end', async () => {
    const { headers } = await run(gateway, vm, 'query-status');
    const id = String(headers['qmp-operation']);
    expect(await qmpctl('wait', vm, '--for', `operation=${id}`)).toMatchObject({
      status: 0,
      stdout: `${vm}: query-status done\n`,
    });
    const failed = await run(gateway, vm, 'device_del', '{"id":"nobody"}');
    const end = await qmpctl('wait', vm, '--for', `operation=${String(failed.headers['qmp-operation'])}`);
    expect([end.status, end.stdout, end.stderr]).toEqual([1, '', expect.stringContaining('device_del failed')]);
  });

  it('that is given up says that nothing was stopped, and where to look', async () => {
    const late = await qmpctl('wait', vm, '--for', 'SHUTDOWN', '--timeout', '1ms');
    expect([late.status, late.stdout]).toEqual([4, '']);
    expect(late.stderr).toBe(
      `qmpctl: ${vm}: not within 1ms for SHUTDOWN; nothing was stopped (look: qmpctl events ${vm} --event SHUTDOWN)\n`,
    );
    const child = startClient(scene, home, ['wait', vm, '--for', 'SHUTDOWN', '--debug']);
    const result = ended(child);
    await new Promise<void>((resolve) => {
      let said = '';
      child.stderr.on('data', (data: Buffer) => {
        said += data.toString();
        if (said.includes('text/event-stream\n')) resolve();
      });
    });
    child.kill('SIGINT');
    const { status, stderr } = await result;
    expect(status).toBe(4);
    expect(stderr).toContain(`qmpctl: ${vm}: no longer waiting for SHUTDOWN; nothing was stopped`);
  });
});

describe('vms --watch', () => {
  it('goes on with a line for each change, in the same columns', async () => {
    const child = startClient(scene, home, ['vms', vm, '--watch']);
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    const result = ended(child);
    await expect.poll(() => said.split('\n').length, { timeout: 20_000 }).toBe(3);
    await expect
      .poll(
        async () => {
          await run(gateway, vm, 'cont');
          await run(gateway, vm, 'stop');
          return said.split('\n').length;
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(4);
    child.kill('SIGINT');
    const { status, stdout } = await result;
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    const at = lines[0]?.indexOf('RUN') ?? 0;
    for (const line of lines.slice(1)) expect(line.slice(at)).toMatch(/^(?:paused|running|prelaunch)/);
  });
});
