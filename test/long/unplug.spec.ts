import { afterAll, expect, it } from 'vitest';
import { GatewayScene, registerVm } from '../e2e/gateway-scene.js';
import { problemOf } from '../e2e/http-exchange.js';
import { operationAt, prefer } from '../e2e/work-reader.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

it('a device that the guest ignores is failed at the deadline of the table, by Prefer: wait alone', async () => {
  const gateway = await scene.gateway();
  const args = ['-device', 'pcie-root-port,id=rp0', '-device', 'virtio-rng-pci,id=rng0,bus=rp0'];
  const qemu = await scene.qemu({ machine: 'q35', accel: 'tcg', args });
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  const answer = await prefer(gateway, vm, 'device_del', { prefers: 'wait=60', args: { id: 'rng0' } });
  expect(problemOf(answer)).toMatchObject({ code: 'deadline-exceeded', status: 504, outcome: 'unknown', vm });
  const told = await operationAt(gateway, String(answer.json()['operation']));
  expect(told).toMatchObject({ state: 'failed', events: [] });
  expect(Date.parse(told.deadline ?? '') - Date.parse(told.started)).toBeGreaterThanOrEqual(25_000);
});
