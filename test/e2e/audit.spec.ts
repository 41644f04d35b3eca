import { readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { TokenStore } from '../../apps/gateway/src/access/token-store.js';
import { StateDirectory } from '../../apps/gateway/src/state/state-directory.js';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

it('SIGHUP goes on in a new file', async () => {
  const gateway = await scene.gateway({ settings: fakeMachineSettings });
  const machine = await fakeMachine(scene);
  const vm = await registerVm(gateway, machine.endpoint);
  const file = path.join(gateway.state, 'audit.log');
  const read = (name: string) => readFileSync(name, 'utf8');
  expect((await run(gateway, vm, 'stop')).status).toBe(200);
  renameSync(file, `${file}.1`);
  gateway.process.kill('SIGHUP');
  await expect
    .poll(() => gateway.log().map(({ msg }) => msg), { timeout: 10_000 })
    .toContain('settings and the files they name read again');
  expect((await run(gateway, vm, 'cont')).status).toBe(200);
  await expect.poll(() => read(file), { timeout: 5_000 }).toContain('"command":"cont"');
  expect(read(file)).not.toContain('"command":"stop"');
  expect(read(`${file}.1`)).toContain('"command":"stop"');
});

it('audit.required: a log that cannot be written stops commands and changes, and reads of the gateway go on', async () => {
  const machine = await fakeMachine(scene);
  const gateway = await scene.gateway({
    settings: {
      ...fakeMachineSettings,
      audit: { file: '/dev/full', required: true },
      vms: { web: { endpoint: machine.endpoint } },
    },
  });
  await gateway.vmBecomes('web', 'ready');
  machine.takeReceived();
  const unavailable = { code: 'audit-unavailable', status: 503, outcome: 'not-sent' };
  expect((await run(gateway, 'web', 'stop')).json()).toMatchObject(unavailable);
  const made = new TokenStore(new StateDirectory(gateway.state)).create({ level: 'read', vms: ['*'] });
  for (const [method, path, body] of [
    ['POST', '/v1/tokens', '{"level":"read"}'],
    ['DELETE', `/v1/tokens/${made.record.id}`, undefined],
    ['PUT', '/v1/vms/other', JSON.stringify({ endpoint: machine.endpoint })],
    ['DELETE', '/v1/vms/web', undefined],
  ] as const) {
    const answer = await exchange(gateway, path, { method, ...(body === undefined ? {} : { body }) });
    expect(answer.json(), `${method} ${path}`).toMatchObject(unavailable);
  }
  const { vms } = (await exchange(gateway, '/v1/vms')).json() as { vms: { id: string }[] };
  expect(vms.map(({ id }) => id)).toEqual(['web']);
  expect((await exchange({ ...gateway, token: made.token }, '/v1/vms')).status).toBe(200);
  expect(machine.takeReceived()).toEqual([]);
  expect(gateway.log().map(({ msg }) => msg)).toContain('the audit log cannot be written');
});
