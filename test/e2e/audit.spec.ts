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

it('has the traceparent of a request in its lines, and ignores one that is malformed', async () => {
  const machine = await fakeMachine(scene);
  const gateway = await scene.gateway({ settings: fakeMachineSettings });
  const vm = await registerVm(gateway, machine.endpoint);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const marked = (id: string, trace = traceparent) => ({ 'X-Request-Id': id, Traceparent: trace });
  expect((await run(gateway, vm, 'stop', undefined, marked('traced'))).status).toBe(200);
  expect((await run(gateway, vm, 'cont', undefined, marked('malformed', 'x","vm":"y'))).status).toBe(200);
  const message = { headers: marked('message'), body: '{"execute":"stop"}' };
  expect((await exchange(gateway, `/v1/vms/${vm}/qmp`, message)).status).toBe(200);
  const fanOut = { method: 'POST', headers: marked('fan-out') };
  expect((await exchange(gateway, '/v1/qmp/cont?vm=*', fanOut)).status).toBe(200);
  expect((await run(gateway, vm, 'nosuch', undefined, marked('refused'))).status).toBe(404);
  const token = { headers: marked('token'), body: '{"level":"read"}' };
  expect((await exchange(gateway, '/v1/tokens', token)).status).toBe(201);
  const lines = () => readFileSync(path.join(gateway.state, 'audit.log'), 'utf8').trimEnd().split('\n');
  const records = () => lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  await expect.poll(() => records().map(({ request }) => request), { timeout: 5_000 }).toContain('token');
  const sent = ['traced', 'malformed', 'message', 'fan-out', 'refused', 'token'];
  const traces = records().filter(({ request }) => sent.includes(String(request)));
  expect(traces.map(({ request, traceparent: trace }) => [request, trace])).toEqual(
    sent.map((id) => [id, id === 'malformed' ? undefined : traceparent]),
  );
});

it('holds what clients and VMs say without control characters, as the log does', async () => {
  const machine = await fakeMachine(scene);
  const gateway = await scene.gateway({ settings: fakeMachineSettings, args: ['--log-level', 'trace'] });
  const vm = await registerVm(gateway, machine.endpoint);
  // A line break, an escape sequence, the same in one character of C1, text turned round, an end of line of Unicode.
  const odd = 'odd\n\u001b[31m\u009b31m\u202e\u2066\u2028\u007f';
  const [connection] = machine.fake.connections;
  connection?.write(`no JSON ${odd}\r\n`);
  connection?.line(JSON.stringify({ return: odd, id: odd }));
  const message = (command: string, args: object) => JSON.stringify({ execute: command, arguments: args });
  for (const body of [message(odd, {}), message('device_del', { id: odd }), message('device_del', { [odd]: odd })])
    await exchange(gateway, `/v1/vms/${vm}/qmp`, { body });
  await exchange(gateway, '/v1/tokens', { body: JSON.stringify({ level: 'read', name: odd }) });
  await exchange(gateway, `/v1/vms/${encodeURIComponent(odd)}`);
  const audit = () => readFileSync(path.join(gateway.state, 'audit.log'), 'utf8');
  await run(gateway, vm, 'stop');
  await expect.poll(audit, { timeout: 5_000 }).toContain('"command":"stop"');
  const controls = /[\0-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
  for (const line of `${audit()}${gateway.stderr()}`.split('\n'))
    if (controls.test(line)) expect(JSON.stringify(line)).toBe('without control characters');
  expect(audit().match(/odd/g)?.length).toBeGreaterThan(1);
});
