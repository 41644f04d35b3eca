import { RawQmpClient, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let qemu: Qemu;
let own: RawQmpClient;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  qemu = await scene.qemu({ machine: 'q35', qmpSockets: 2 });
  vm = await registerVm(gateway, `unix:${qemu.socket}`);
  own = scene.keep(await RawQmpClient.connect(qemu.sockets[1] ?? ''), (client) => client.close());
  await own.negotiate();
});
afterAll(() => scene.end());

const status = () => own.command('{"execute":"query-status"}');
const objects = () => own.command('{"execute":"qom-list","arguments":{"path":"/objects"}}');

describe('what a real QEMU refuses', () => {
  it.each([
    ['device_del', '{"id":"none"}', 404, 'device-not-found', 'DeviceNotFound'],
    ['balloon', '{"value":1}', 409, 'device-not-active', 'DeviceNotActive'],
    ['object-del', '{"id":"none"}', 422, 'command-failed', 'GenericError'],
    ['object-add', '{"qom-type":"iothread","id":"1bad"}', 422, 'command-failed', 'GenericError'],
    ['device_add', '{"driver":"no-such-device"}', 422, 'command-failed', 'GenericError'],
  ])('%s %s: %i %s', async (command, args, httpStatus, code, errorClass) => {
    const before = [await status(), await objects()];
    const answer = await run(gateway, vm, command, args);
    expect(problemOf(answer)).toEqual({
      ...{ status: httpStatus, code, vm, command, outcome: 'refused', retryable: false },
      qmp: { class: errorClass, desc: expect.stringMatching(/./) },
    });
    expect([await status(), await objects()]).toEqual(before);
  });

  it('out of band, what it runs in band only', async () => {
    const before = await status();
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp`, { body: '{"exec-oob":"cont"}' });
    expect(answer.json()).toMatchObject({ code: 'command-failed', outcome: 'refused', qmp: { class: 'GenericError' } });
    expect(await status()).toBe(before);
  });

  it('is not even sent when the gateway knows better', async () => {
    const before = await status();
    for (const [command, args, code] of [
      ['stop', '{"now":true}', 'invalid-arguments'],
      ['set-action', '{"reboot":"explode"}', 'invalid-arguments'],
      ['qmp_capabilities', undefined, 'not-offered'],
    ] as const)
      expect([command, problemOf(await run(gateway, vm, command, args))]).toEqual([
        command,
        expect.objectContaining({ code, outcome: 'not-sent' }),
      ]);
    expect(await status()).toBe(before);
    expect((await run(gateway, vm, 'query-status')).status).toBe(200);
  });

  it.each([
    ['chardev-remove', '{"id":"qmp0"}'],
    ['chardev-change', '{"id":"qmp0","backend":{"type":"null","data":{}}}'],
    ['yank', '{"instances":[{"type":"chardev","id":"qmp0"}]}'],
  ])('is not sent when it is aimed at the gateway’s own monitor: %s', async (command, args) => {
    const { epoch } = await gateway.vmBecomes(vm, 'ready');
    const answer = await run(gateway, vm, command, args);
    expect(problemOf(answer)).toMatchObject({ status: 403, code: 'forbidden', outcome: 'not-sent' });
    expect(await gateway.vmBecomes(vm, 'ready')).toMatchObject({ epoch });
  });
});
