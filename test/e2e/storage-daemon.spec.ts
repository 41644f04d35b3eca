import { spawn } from 'node:child_process';
import path from 'node:path';
import { FakeMonitor, superviseProcess, type Qemu } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { FaultScene } from './fault-scene.js';
import { makeToken, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { prefer } from './work-reader.js';

const scene = new FaultScene();

afterEach(() => scene.end());

async function storageDaemon(): Promise<Qemu> {
  const directory = scene.directory();
  const socket = path.join(directory, 'qsd');
  const chardev = `socket,id=c,path=${socket},server=on,wait=off`;
  const child = spawn('qemu-storage-daemon', ['--chardev', chardev, '--monitor', 'chardev=c'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return scene.keep(await superviseProcess(child, directory, [socket], false), (made) => made.stop());
}

describe.each(['storage-daemon', 'auto'])('a storage daemon, registered as %s', (kind) => {
  it('is a VM without a run state, with its own commands', async () => {
    const daemon = await storageDaemon();
    const gateway = await scene.gateway({ settings: { vms: { qsd: { endpoint: `unix:${daemon.socket}`, kind } } } });
    const vm = await gateway.vmBecomes('qsd', 'ready');
    expect(vm).toMatchObject({ kind: 'storage-daemon', runState: null, health: 'ok', name: null, uuid: null });

    const { commands } = (await exchange(gateway, '/v1/vms/qsd/schema')).json() as { commands: { name: string }[] };
    const names = commands.map(({ name }) => name);
    expect(names).toContain('blockdev-add');
    expect(names).not.toContain('query-status');
    expect(problemOf(await run(gateway, 'qsd', 'query-status'))).toMatchObject({
      status: 404,
      code: 'command-not-found',
    });

    const node = '{"driver":"null-co","node-name":"disk0","size":1048576}';
    expect((await run(gateway, 'qsd', 'blockdev-add', node)).status).toBe(200);
    expect((await run(gateway, 'qsd', 'query-named-block-nodes')).text).toContain('"node-name": "disk0"');

    const file = (...names: string[]) => ({ driver: 'file', filename: path.join(daemon.directory, ...names), size: 0 });
    const created = await prefer(gateway, 'qsd', 'blockdev-create', {
      prefers: 'wait=30',
      args: { 'job-id': 'a', options: file('new') },
    });
    expect([created.status, created.text]).toEqual([200, '{}']);
    const nowhere = { 'job-id': 'b', options: file('no', 'such') };
    const failed = await prefer(gateway, 'qsd', 'blockdev-create', { prefers: 'wait=30', args: nowhere });
    expect(problemOf(failed)).toMatchObject({ code: 'command-failed', outcome: 'refused' });
    expect((await run(gateway, 'qsd', 'query-jobs')).text).toBe('[]');
    expect(problemOf(await exchange(gateway, '/v1/vms/qsd/screen.png'))).toMatchObject({
      ...{ status: 409, code: 'no-display', retryable: false },
    });
    expect(problemOf(await exchange(gateway, '/v1/vms/qsd/keys', { body: '{"text":"a"}' }))).toEqual({
      ...{ status: 404, code: 'command-not-found', retryable: false, outcome: 'not-sent' },
      ...{ vm: 'qsd', command: 'send-key' },
    });
    expect((await run(gateway, 'qsd', 'quit')).status).toBe(200);
    await daemon.ended;
    expect(await gateway.vmBecomes('qsd', 'closed')).toMatchObject({ lastError: { code: 'shutdown' } });
  });
});

it('a storage daemon of 5.2 is offered without what it describes and does not have, and what ends it needs more than read', async () => {
  const fake = scene.keep(await FakeMonitor.start({ version: '5.2.0', capabilities: [] }), (made) => made.stop());
  const command = (name: string) => ({ name, 'meta-type': 'command', 'arg-type': 'empty', 'ret-type': 'empty' });
  const listed = ['query-qmp-schema', 'query-commands', 'query-events', 'query-version', 'qmp_capabilities'];
  fake
    .on('query-qmp-schema', () => ({
      return: [{ name: 'empty', 'meta-type': 'object', members: [] }, ...[...listed, 'object-add'].map(command)],
    }))
    .on('query-commands', () => ({ return: listed.map((name) => ({ name })) }))
    .on('query-events', () => ({ return: {} }));
  if (fake.endpoint.kind !== 'unix') throw new Error('not a unix socket');
  const endpoint = `unix:${fake.endpoint.path}`;
  const gateway = await scene.gateway({ settings: { vms: { qsd: { endpoint, kind: 'storage-daemon' } } } });
  expect(await gateway.vmBecomes('qsd', 'ready')).toMatchObject({ version: '5.2.0' });
  const { commands } = (await exchange(gateway, '/v1/vms/qsd/schema')).json() as { commands: { name: string }[] };
  expect(commands.map(({ name }) => name).sort()).toEqual([...listed].sort());
  expect(problemOf(await run(gateway, 'qsd', 'object-add', '{}'))).toMatchObject({ code: 'command-not-found' });

  const at = '/v1/vms/qsd/qmp/query-events';
  expect(problemOf(await exchange(gateway, at))).toMatchObject({ code: 'method-not-allowed' });
  const reader = { ...gateway, token: makeToken(gateway, { level: 'read', vms: ['*'] }) };
  expect(problemOf(await exchange(reader, at, { method: 'POST' }))).toMatchObject({ code: 'forbidden' });
  expect(fake.commands.map(({ name }) => name)).not.toContain('query-events');
  const operator = { ...gateway, token: makeToken(gateway, { level: 'configure', vms: ['*'] }) };
  expect((await exchange(operator, at, { method: 'POST' })).status).toBe(200);
});
