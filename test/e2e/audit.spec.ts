import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { TokenStore } from '../../apps/gateway/src/access/tokens/token-store.js';
import { StateDirectory } from '../../apps/gateway/src/state/state-directory.js';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { prefer } from './work-reader.js';

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
  await expect.poll(() => gateway.log().map(({ msg }) => msg)).toContain('the audit log cannot be written');
});

it('has the traceparent of a request in its lines, and ignores one that is malformed', async () => {
  const machine = await fakeMachine(scene);
  const gateway = await scene.gateway({ settings: fakeMachineSettings });
  const vm = await registerVm(gateway, machine.endpoint);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const marked = (id: string, trace = traceparent) => ({ 'X-Request-Id': id, Traceparent: trace });
  expect((await run(gateway, vm, 'stop', { headers: marked('traced') })).status).toBe(200);
  expect((await run(gateway, vm, 'cont', { headers: marked('malformed', 'x","vm":"y') })).status).toBe(200);
  const message = { headers: marked('message'), body: '{"execute":"stop"}' };
  expect((await exchange(gateway, `/v1/vms/${vm}/qmp`, message)).status).toBe(200);
  const fanOut = { method: 'POST', headers: marked('fan-out') };
  expect((await exchange(gateway, '/v1/qmp/cont?vm=*', fanOut)).status).toBe(200);
  expect((await run(gateway, vm, 'nosuch', { headers: marked('refused') })).status).toBe(404);
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

it('has an end that can be read, whatever a crash left in the log, and wherever the log went', async () => {
  const state = scene.directory();
  const file = path.join(state, 'audit.log');
  writeFileSync(file, '{"change":"whole"}\n{"change":"ha{"change":"glued"}\n\0\0\0\0\n{"change":"ha');
  const gateway = await scene.gateway({ state });
  const tail = async () => {
    const answer = await exchange(gateway, '/v1/audit');
    const { records = [] } = JSON.parse(answer.text) as { records?: { change?: string }[] };
    return [answer.status, records.map(({ change }) => change)];
  };
  const token = { body: '{"level":"read"}' };
  expect((await exchange(gateway, '/v1/tokens', token)).status).toBe(201);
  const expected = expect.arrayContaining(['whole', 'token-created']);
  expect(await tail()).toEqual([200, expected]);
  rmSync(file);
  expect(await tail()).toEqual([200, []]);
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

type AuditRecord = Record<string, unknown>;
const recordsOf = (gateway: GatewayProcess): AuditRecord[] =>
  readFileSync(path.join(gateway.state, 'audit.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditRecord);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

it('has the arguments of what was refused, without their secrets, and a hash where they can not be read', async () => {
  const gateway = await scene.gateway();
  const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  const weak = makeToken(gateway, { level: 'read', vms: ['*'] });
  const bearer = { Authorization: `Bearer ${weak}` };
  const qmp = `/v1/vms/${vm}/qmp`;
  const password = { protocol: 'vnc', password: 'canary' };
  const redacted = { protocol: 'vnc', password: '[redacted]' };
  const bitmap = { node: 'n', name: 'b' };
  const secret = { 'qom-type': 'secret', id: 's', data: 'canary' };
  const rom = { driver: 'e1000', romfile: '/etc/passwd' };
  const broken = '{"password": "canary", }';
  const post = (command: string, args: object, headers: Record<string, string> = bearer) =>
    ({ path: `${qmp}/${command}`, body: JSON.stringify(args), headers }) as const;
  const tried: Record<
    string,
    [{ path: string; body?: string; headers?: Record<string, string> }, number, AuditRecord]
  > = {
    forbidden: [post('set_password', password), 403, { class: 'configure', rule: 'base', arguments: redacted }],
    rom: [post('device_add', rom), 403, { class: 'host', rule: 'device_add:romfile', arguments: rom }],
    whole: [
      { ...post('set_password', password), path: '/v1/qmp/set_password?vm=*' },
      403,
      { vm: '*', entrance: 'fan-out', class: 'configure', arguments: redacted },
    ],
    invalid: [post('object-add', { ...secret, bogus: 1 }, {}), 400, { problem: 'invalid-arguments', class: 'host' }],
    epoch: [post('block-dirty-bitmap-add', bitmap, { 'QMP-VM-Epoch': 'other' }), 412, { arguments: bitmap }],
    fd: [post('getfd', { fdname: 'f' }, {}), 501, { problem: 'not-offered', arguments: { fdname: 'f' } }],
    query: [{ path: `${qmp}/qom-list?path=/x&bogus=1` }, 400, { arguments: { path: '/x', bogus: '1' } }],
    get: [{ path: `${qmp}/device_add?romfile=/x` }, 405, { command: 'device_add', arguments: { romfile: '/x' } }],
    unknown: [
      { path: qmp, body: JSON.stringify({ execute: 'nosuch', arguments: password }) },
      404,
      { command: 'nosuch', argumentsSha256: sha256(JSON.stringify(password)) },
    ],
    // Nobody reads the body of a request for what is not there.
    unread: [post('nosuch', password), 404, { command: 'nosuch' }],
    broken: [{ path: `${qmp}/set_password`, body: broken }, 400, { argumentsSha256: sha256(broken) }],
    message: [{ path: qmp, body: broken }, 400, { command: '', argumentsSha256: sha256(broken) }],
    line: [
      post('human-monitor-command', { 'command-line': 'savevm canary' }),
      403,
      { argumentsSha256: sha256(JSON.stringify({ 'command-line': 'savevm canary' })) },
    ],
    long: [
      post('device_add', { driver: 'x'.repeat(5000) }),
      403,
      { arguments: '[5013 characters]', argumentsSha256: sha256(JSON.stringify({ driver: 'x'.repeat(5000) })) },
    ],
    none: [{ ...post('stop', {}), body: '' }, 403, { class: 'operate' }],
  };
  for (const [id, [{ path: at, body, headers = {} }, status]] of Object.entries(tried)) {
    const options = { headers: { ...headers, 'X-Request-Id': id }, ...(body === undefined ? {} : { method: 'POST' }) };
    const answer = await exchange(gateway, at, { ...options, ...(body ? { body } : {}) });
    expect([id, answer.status]).toEqual([id, status]);
  }
  await expect.poll(() => recordsOf(gateway).at(-1)?.['request'], { timeout: 5_000 }).toBe('none');
  const records = recordsOf(gateway);
  for (const [id, [, status, expected]] of Object.entries(tried)) {
    const record = records.filter(({ request }) => request === id);
    expect([id, record]).toMatchObject([id, [{ ...expected, status, outcome: 'not-sent' }]]);
  }
  expect(records.find(({ request }) => request === 'invalid')).toMatchObject({
    arguments: { ...secret, data: '[redacted]', bogus: 1 },
  });
  const bare = records.find(({ request }) => request === 'none');
  expect(bare).not.toHaveProperty('arguments');
  expect(bare).not.toHaveProperty('argumentsSha256');
  expect(JSON.stringify(records)).not.toContain('canary');
});

it('tells how the work of a command ended, not only that its reply came, as the metrics do', async () => {
  const gateway = await scene.gateway();
  const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  const size = 2 ** 20;
  const node = (name: string) => ({ driver: 'null-co', 'node-name': name, size });
  const full = {
    ...{ driver: 'blkdebug', 'node-name': 'full', image: 'plain' },
    'inject-error': [{ event: 'none', iotype: 'write', errno: 28 }],
  };
  for (const args of [node('source'), node('target'), node('plain'), full])
    expect((await run(gateway, vm, 'blockdev-add', JSON.stringify(args))).status).toBe(200);
  const copy = (job: string, target: string, wait: string) =>
    prefer(gateway, vm, 'blockdev-backup', {
      prefers: wait,
      args: { 'job-id': job, device: 'source', target, sync: 'full' },
      headers: {
        'X-Request-Id': job,
      },
    });
  expect((await copy('good', 'target', 'wait=30')).status).toBe(200);
  expect((await copy('bad', 'full', 'wait=30')).status).toBe(422);
  expect((await run(gateway, vm, 'stop', { headers: { 'X-Request-Id': 'stopped' } })).status).toBe(200);
  expect((await run(gateway, vm, 'query-name', { headers: { 'X-Request-Id': 'last' } })).status).toBe(200);
  await expect.poll(() => recordsOf(gateway).at(-1)?.['request'], { timeout: 5_000 }).toBe('last');
  const records = recordsOf(gateway);
  const linesOf = (id: string) => {
    const operation = records.find(({ request }) => request === id)?.['operation'];
    return records.filter((record) => 'command' in record && record['operation'] === operation);
  };
  const about = { principal: expect.any(String) as string, vm, command: 'blockdev-backup' };
  for (const [id, end] of [
    ['good', { work: 'done' }],
    ['bad', { work: 'failed', problem: 'command-failed' }],
  ] as const) {
    const lines = linesOf(id);
    expect(lines[0]).toMatchObject({ ...about, request: id, outcome: 'done' });
    // A copy of next to nothing may have ended before its command was answered.
    if (lines[0]?.['work'] === 'running') {
      expect(lines).toHaveLength(2);
      expect(lines[1]).toMatchObject({ ...about, ...end, ms: expect.any(Number) as number });
    } else expect(lines).toMatchObject([end]);
  }
  expect(linesOf('stopped').filter(({ work }) => work === 'done')).toHaveLength(1);
  expect(linesOf('last')).toHaveLength(1);
  expect(linesOf('last')[0]).not.toHaveProperty('work');
  const metrics = (await exchange(gateway, '/metrics')).text;
  const work = (command: string, outcome: string) =>
    `qmpgw_work_total{kind="qemu",command="${command}",outcome="${outcome}"} 1`;
  for (const line of [work('blockdev-backup', 'done'), work('blockdev-backup', 'failed'), work('stop', 'done')])
    expect(metrics).toContain(line);
  expect(metrics).toContain('qmpgw_commands_total{kind="qemu",command="blockdev-backup",outcome="done"} 2');
});
