import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { powerButtonBootSector } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings, change, echo } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';
import { operationAt, operationOf, OperationStream, prefer } from './work-reader.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg' });
  vm = await registerVm(gateway, `unix:${qemu.socket}`);
});
afterAll(() => scene.end());

const done = (answer: Exchange) => expect([answer.status, answer.text]).toEqual([200, '{}']);

describe('work of the machine itself', () => {
  it.each([
    ['cont', 'RESUME'],
    ['system_reset', 'RESET'],
    ['stop', 'STOP'],
  ])('%s is done with its event', async (command, event) => {
    const answer = await prefer(gateway, vm, command, { prefers: 'wait=30' });
    done(answer);
    const told = await operationOf(gateway, vm, answer);
    expect(told).toMatchObject({ state: 'done', command, return: {}, error: null });
    expect(told.events.map((one) => one.event)).toContain(event);
  });

  it('is kept for whoever began it when its VM is gone', async () => {
    const { socket } = await scene.qemu();
    const path = '/v1/vms/gone-soon';
    await exchange(gateway, path, { method: 'PUT', body: JSON.stringify({ endpoint: `unix:${socket}` }) });
    await gateway.vmBecomes('gone-soon', 'ready');
    const answer = await prefer(gateway, 'gone-soon', 'cont', { prefers: 'wait=30' });
    done(answer);
    const operation = `${path}/operations/${String(answer.headers['qmp-operation'])}`;
    expect((await exchange(gateway, path, { method: 'DELETE' })).status).toBe(204);
    expect(await operationAt(gateway, operation)).toMatchObject({ vm: 'gone-soon', command: 'cont', state: 'done' });
    const listed = (await exchange(gateway, '/v1/operations?vm=gone-*')).json() as { operations: object[] };
    expect(listed.operations).toMatchObject([{ vm: 'gone-soon', command: 'cont' }]);
    const stranger = { Authorization: `Bearer ${makeToken(gateway, { level: 'read', vms: ['*'] })}` };
    expect(problemOf(await exchange(gateway, operation, { headers: stranger }))).toMatchObject({
      code: 'vm-not-found',
    });
    expect((await exchange(gateway, '/v1/operations?vm=gone-*', { headers: stranger })).json()).toMatchObject({
      operations: [],
    });
    expect(problemOf(await exchange(gateway, operation, { method: 'DELETE' }))).toMatchObject({ code: 'vm-not-found' });
  });

  it('stop of a VM that is stopped tells nothing, and is done', async () => {
    done(await prefer(gateway, vm, 'stop', { prefers: 'wait=30' }));
    done(await prefer(gateway, vm, 'stop', { prefers: 'wait=30' }));
  });

  it('dump-guest-memory is done with its reply, or when detached with the dump', async () => {
    const protocol = `file:${path.join(scene.directory(), 'dump')}`;
    const attached = await prefer(gateway, vm, 'dump-guest-memory', {
      prefers: 'wait=60',
      args: { paging: false, protocol },
    });
    done(attached);
    expect((await operationOf(gateway, vm, attached)).events).toEqual([]);
    const detached = await prefer(gateway, vm, 'dump-guest-memory', {
      prefers: 'wait=60',
      args: { paging: false, protocol, detach: true },
    });
    done(detached);
    const told = await operationOf(gateway, vm, detached);
    expect(told).toMatchObject({ state: 'done', events: [{ event: 'DUMP_COMPLETED' }] });
    const full = { paging: false, protocol: 'file:/dev/full', detach: true };
    const failed = await prefer(gateway, vm, 'dump-guest-memory', { prefers: 'wait=60', args: full });
    expect(problemOf(failed)).toMatchObject({ code: 'command-failed', outcome: 'refused' });
    expect(failed.json()['detail']).toContain('No space left on device');
  });

  it('calc-dirty-rate is done when it has measured, which no event tells', async () => {
    done(await prefer(gateway, vm, 'calc-dirty-rate', { prefers: 'wait=60', args: { 'calc-time': 1 } }));
    expect((await run(gateway, vm, 'query-dirty-rate')).text).toContain('"measured"');
  });

  it('system_powerdown is done when the guest has shut down, and fails when it takes no notice', async () => {
    const floppy = path.join(scene.directory(), 'guest.img');
    writeFileSync(floppy, powerButtonBootSector());
    const args = ['-device', 'pvpanic', '-drive', `if=floppy,format=raw,file=${floppy},readonly=on`];
    const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg', args });
    const guest = await registerVm(gateway, `unix:${qemu.socket}`);
    const started = await run(gateway, guest, 'cont');
    const up = `after=${String(started.headers['qmp-event-cursor'])}&event=GUEST_CRASHLOADED&wait=60s&limit=1`;
    await exchange(gateway, `/v1/vms/${guest}/events?${up}`);
    const answer = await prefer(gateway, guest, 'system_powerdown', { prefers: 'wait=60' });
    done(answer);
    expect((await operationOf(gateway, guest, answer)).events.map(({ event }) => event)).toEqual([
      'POWERDOWN',
      'SHUTDOWN',
    ]);

    const ignored = await prefer(gateway, vm, 'system_powerdown', {
      prefers: 'wait=20',
      headers: { 'Request-Timeout': '1s' },
    });
    expect(problemOf(ignored)).toMatchObject({ code: 'deadline-exceeded', outcome: 'unknown', retryable: false });
  });

  it('what is asked of a job, a drive, an export is done when the VM has it so, and not with the reply', async () => {
    const nbd = path.join(scene.directory(), 'nbd');
    const node = ['-blockdev', 'driver=null-co,node-name=n0,size=67108864,read-zeroes=on'];
    const target = ['-blockdev', 'driver=null-co,node-name=n1,size=67108864'];
    const drive = ['-device', 'ide-cd,id=cd0'];
    const { socket } = await scene.qemu({ machine: 'pc', accel: 'tcg', args: [...node, ...target, ...drive] });
    const other = await registerVm(gateway, `unix:${socket}`);
    const mirror = { 'job-id': 'j0', device: 'n0', target: 'n1', sync: 'full', speed: 65536 };
    const exported = { type: 'nbd', id: 'e0', 'node-name': 'n0' };
    for (const [command, args] of [
      ['blockdev-mirror', mirror],
      ['nbd-server-start', { addr: { type: 'unix', data: { path: nbd } } }],
      ['block-export-add', exported],
    ] as const)
      expect((await run(gateway, other, command, JSON.stringify(args))).status).toBe(200);
    for (const [command, args] of [
      ['job-pause', { id: 'j0' }],
      ['job-resume', { id: 'j0' }],
      ['blockdev-open-tray', { id: 'cd0' }],
      // It is open.
      ['blockdev-open-tray', { id: 'cd0' }],
      ['block-export-del', { id: 'e0' }],
    ] as const) {
      const answer = await prefer(gateway, other, command, { prefers: 'wait=30', args });
      done(answer);
      expect(await operationOf(gateway, other, answer)).toMatchObject({ state: 'done', command });
    }
    expect((await run(gateway, other, 'query-block-exports')).json()).toEqual([]);
  });

  it('a command that QEMU refuses leaves no work behind', async () => {
    const refused = await prefer(gateway, vm, 'device_del', { prefers: 'wait=30', args: { id: 'nobody' } });
    expect(problemOf(refused)).toMatchObject({ code: 'device-not-found', outcome: 'refused' });
    const told = await operationOf(gateway, vm, refused);
    expect(told).toMatchObject({ state: 'failed', events: [], error: { code: 'device-not-found' } });
    expect(told.deadline).toBeUndefined();
  });
});

describe('Prefer', () => {
  it('is honoured for commands without further work: their reply is the end', async () => {
    const answer = await prefer(gateway, vm, 'query-status', { prefers: 'return=minimal, wait=10' });
    expect(answer.json()).toMatchObject({ running: false });
    expect(answer.headers['preference-applied']).toBe('wait=10');
    const later = await prefer(gateway, vm, 'query-status', { prefers: 'respond-async' });
    expect([later.status, later.headers['preference-applied']]).toEqual([202, 'respond-async']);
    const path = String(later.headers.location);
    expect(later.json()).toMatchObject({ id: path.split('/').at(-1), state: 'running', command: 'query-status' });
    expect(await operationAt(gateway, path, '10s')).toMatchObject({ state: 'done', return: { running: false } });
  });

  it('answers 202 when the time is over before the reply, and ?wait ends with it', async () => {
    const machine = await fakeMachine(scene);
    const fake = await registerVm(gateway, machine.endpoint);
    machine.fake.on(change, () => null);
    const answer = await prefer(gateway, fake, change, { prefers: 'wait=50ms' });
    expect([answer.status, answer.headers['preference-applied']]).toEqual([202, 'wait=0.05']);
    const at = String(answer.headers.location);
    const waited = operationAt(gateway, at, '30s');
    machine.fake.answer(machine.received[0]!, { json: '{}' });
    expect(await waited).toMatchObject({ state: 'done', return: {} });
  });

  it('changes nothing of refusals, of dry runs, of other preferences and of GET', async () => {
    const get = await exchange(gateway, `/v1/vms/${vm}/qmp/query-status`, { headers: { Prefer: 'respond-async' } });
    expect([get.status, get.headers['preference-applied']]).toEqual([200, undefined]);
    const other = await prefer(gateway, vm, 'query-status', { prefers: 'handling=strict' });
    expect([other.status, other.headers['preference-applied']]).toEqual([200, undefined]);
    const unknown = await prefer(gateway, vm, 'query-nothing', { prefers: 'respond-async' });
    expect(problemOf(unknown)).toMatchObject({ code: 'command-not-found' });
    const bad = await prefer(gateway, vm, 'query-status', { prefers: 'wait=soon' });
    expect(problemOf(bad)).toMatchObject({ code: 'invalid-request', errors: [{ in: 'header', pointer: '/Prefer' }] });
    const dry = await prefer(gateway, vm, 'stop', { prefers: 'wait=10', headers: { 'Dry-Run': 'true' } });
    expect(dry.json()).toEqual({ wouldSend: { execute: 'stop' }, class: 'operate' });
  });

  it('goes with an Idempotency-Key: the second request waits for the work of the first', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = await prefer(gateway, vm, 'calc-dirty-rate', {
      prefers: 'respond-async',
      args: { 'calc-time': 1 },
      headers,
    });
    expect(first.status).toBe(202);
    // Until the reply is there the key is in use.
    while (!('return' in (await operationAt(gateway, String(first.headers.location)))));
    const second = await prefer(gateway, vm, 'calc-dirty-rate', {
      prefers: 'wait=30',
      args: { 'calc-time': 1 },
      headers,
    });
    done(second);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.headers['qmp-operation']).toBe(first.headers['qmp-operation']);
  });

  it('is taken with a QMP message as well', async () => {
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp`, {
      body: '{"execute":"system_reset"}',
      headers: { Prefer: 'wait=30' },
    });
    done(answer);
    expect(answer.headers['preference-applied']).toBe('wait=30');
  });
});

describe('operations of all VMs', () => {
  it('are selected by VM, state and number, and come with the event position they belong to', async () => {
    const { operations, cursor } = (await exchange(gateway, `/v1/operations?vm=${vm}&state=done&limit=2`)).json();
    expect(operations).toHaveLength(2);
    expect(operations).toEqual([
      expect.objectContaining({ vm, state: 'done' }),
      expect.objectContaining({ vm, state: 'done' }),
    ]);
    expect(cursor).toEqual(expect.any(String));
    const none = (await exchange(gateway, '/v1/operations?vm=nobody*')).json();
    expect(none['operations']).toEqual([]);
    for (const query of ['state=over', 'limit=0', 'vm=', 'wait=1'])
      expect(problemOf(await exchange(gateway, `/v1/operations?${query}`))).toMatchObject({ code: 'invalid-request' });
    const tooLong = await exchange(gateway, `/v1/vms/${vm}/operations/any?wait=11m`);
    expect(problemOf(tooLong)).toMatchObject({ code: 'invalid-request' });
  });

  it('and their events are for whoever began them, and level host', async () => {
    const operator = { level: 'operate', vms: ['*'] } as const;
    const own = { Authorization: `Bearer ${makeToken(gateway, operator)}` };
    const other = { Authorization: `Bearer ${makeToken(gateway, operator)}` };
    const stream = await OperationStream.open(gateway, vm);
    const answer = await prefer(gateway, vm, 'system_reset', { prefers: 'wait=30', headers: own });
    const id = String(answer.headers['qmp-operation']);
    expect(await stream.until((told) => told.id === id)).toMatchObject({ state: 'done' });
    const ids = async (headers: Record<string, string>) => {
      const page = (await exchange(gateway, `/v1/vms/${vm}/events?event=operation`, { headers })).json();
      return (page['events'] as { data: { id: string } }[]).map(({ data }) => data.id);
    };
    expect([(await ids(own)).includes(id), (await ids(other)).includes(id)]).toEqual([true, false]);
    const listed = (await exchange(gateway, '/v1/operations', { headers: other })).json();
    expect(listed['operations']).toEqual([]);
    const path = `/v1/vms/${vm}/operations/${id}`;
    expect((await exchange(gateway, path, { headers: other, method: 'DELETE' })).status).toBe(404);
    stream.close();
  });
});

describe('DELETE of an operation', () => {
  it('says where nothing can be cancelled', async () => {
    const answer = await prefer(gateway, vm, 'system_powerdown', {
      prefers: 'respond-async',
      headers: {
        'Request-Timeout': '1s',
      },
    });
    const refused = await exchange(gateway, String(answer.headers.location), { method: 'DELETE' });
    expect(problemOf(refused)).toMatchObject({ code: 'method-not-allowed', status: 405, command: 'system_powerdown' });
    expect(refused.headers.allow).toBe('GET, HEAD');
    expect(refused.json()['detail']).toContain('no way to cancel');
    const machine = await fakeMachine(scene);
    const fake = await registerVm(gateway, machine.endpoint);
    const ended = await run(gateway, fake, echo, '{}');
    const at = `/v1/vms/${fake}/operations/${String(ended.headers['qmp-operation'])}`;
    expect(problemOf(await exchange(gateway, at, { method: 'DELETE' }))).toMatchObject({ code: 'method-not-allowed' });
    expect(problemOf(await exchange(gateway, `${at}x`, { method: 'DELETE' }))).toMatchObject({
      code: 'operation-not-found',
    });
  });

  it('needs what the command that cancels needs', async () => {
    const operator = { Authorization: `Bearer ${makeToken(gateway, { level: 'operate', vms: ['*'] })}` };
    const answer = await prefer(gateway, vm, 'calc-dirty-rate', {
      prefers: 'respond-async',
      args: { 'calc-time': 1 },
      headers: operator,
    });
    const refused = await exchange(gateway, String(answer.headers.location), { method: 'DELETE', headers: operator });
    expect(problemOf(refused)).toMatchObject({ code: 'method-not-allowed' });
  });
});
