import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { change, echo, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
/** Never seen, so that nothing is known of it; and one that was there. */
let unseen: string;
let gone: string;
let reader: string;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  const nowhere = path.join(scene.directory(), 'nowhere');
  unseen = await registerVm(gateway, `unix:${nowhere}`, { state: 'waiting', agent: `unix:${nowhere}.qga` });
  const machine = await fakeMachine(scene);
  gone = await registerVm(gateway, machine.endpoint);
  await machine.fake.stop();
  await gateway.vmBecomes(gone, 'waiting');
  for (;;) {
    const { lastError } = (await exchange(gateway, `/v1/vms/${gone}`)).json() as { lastError: { code: string } };
    if (lastError.code === 'no-such-file') break;
  }
  reader = makeToken(gateway, { level: 'read', vms: ['*'] });
});
afterAll(() => scene.end());

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
/** What every way must say, to whoever may see host paths and to whoever may not. */
const told = { code: 'vm-unavailable', status: 503, outcome: 'not-sent', retryable: true, retryAt: time };
const full = { ...told, lastError: { code: 'no-such-file', detail: expect.stringContaining('/') as string, time } };
const reduced = { ...told, lastError: { code: 'no-such-file', time } };

/** The ways of HTTP: method, path and body. */
const ways: (readonly [string, () => string, string?])[] = [
  ['GET', () => `/v1/vms/${gone}/qmp/${echo}`],
  ['POST', () => `/v1/vms/${gone}/qmp/${echo}`, '{}'],
  ['POST', () => `/v1/vms/${gone}/qmp`, `{"execute":"${echo}"}`],
  ['GET', () => `/v1/vms/${unseen}/qmp/query-status`],
  ['POST', () => `/v1/vms/${unseen}/qmp`, '{"execute":"query-status"}'],
  ['GET', () => `/v1/vms/${unseen}/schema`],
  ['GET', () => `/v1/vms/${unseen}/openapi.json`],
  ['GET', () => `/v1/access?vm=${unseen}&command=stop`],
  ['GET', () => `/v1/vms/${unseen}/qom/machine`],
  ['GET', () => `/v1/vms/${unseen}/screen.png`],
  ['GET', () => `/v1/vms/${unseen}/agent/openapi.json`],
  ['GET', () => `/v1/vms/${unseen}/agent/guest-ping`],
];
/** Those that need more than level `read`. */
const higherWays: typeof ways = [
  ['POST', () => `/v1/vms/${gone}/qmp/${change}`, '{}'],
  ['POST', () => `/v1/vms/${unseen}/keys`, '{"text":"a"}'],
  ['PUT', () => `/v1/vms/${unseen}/qom/machine/x`, '1'],
  ['POST', () => `/v1/vms/${unseen}/agent/exec`, '{"path":"/bin/true"}'],
  ['GET', () => `/v1/vms/${unseen}/agent/files?path=/etc/hostname`],
];

const ask = (method: string, where: string, body: string | undefined, token: string | undefined) =>
  exchange(gateway, where, {
    method,
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
  });

describe('a VM that cannot be had', () => {
  it('says why and when it is tried again, by every way of HTTP', async () => {
    for (const [method, where, body] of [...ways, ...higherWays]) {
      const answer = await ask(method, where(), body, undefined);
      expect([method, where(), answer.json()]).toEqual([method, where(), expect.objectContaining(full)]);
      const seconds = Number(answer.headers['retry-after']);
      const wait = Date.parse(String(answer.json()['retryAt'])) - Date.parse(String(answer.headers.date));
      expect(seconds).toBeGreaterThanOrEqual(1);
      // `Date` is in whole seconds.
      expect(seconds).toBeLessThanOrEqual(Math.max(1, Math.ceil(wait / 1000)));
      expect(answer.json()['detail']).toMatch(/\(no-such-file\); the next try is at \d{4}-/);
    }
  });

  it('shows no host path below level configure', async () => {
    for (const [method, where, body] of ways) {
      const answer = await ask(method, where(), body, reader);
      expect([method, where(), answer.json()]).toEqual([method, where(), expect.objectContaining(reduced)]);
      expect(answer.text).not.toContain('nowhere');
    }
  });

  it('says so in the rows of a fan-out and in the errors of JSON-RPC', async () => {
    const rows = await exchange(gateway, `/v1/qmp/query-status?vm=${gone}&vm=${unseen}`, { method: 'POST' });
    const [first = '', second = ''] = rows.text.split('\n');
    for (const row of [first, second]) expect(JSON.parse(row)).toMatchObject({ status: 503, problem: full });
    const client = scene.keep(await JsonRpcClient.connect(gateway), (each) => each.close());
    const answer = await client.request('execute', `{"vm":"${gone}","command":"stop"}`);
    expect(answer.error).toMatchObject({ code: -32000, data: full });
  });

  it('says so to clients of its shared monitor as the reason of the close', async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/vms/${unseen}/monitor`, ['qmp'], {
      headers: { Authorization: `Bearer ${gateway.token ?? ''}` },
    });
    const [code, reason] = await new Promise<[number, string]>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', (closed, text) => resolve([closed, text.toString()]));
    });
    expect([code, reason]).toEqual([1013, expect.stringMatching(/^The VM is waiting \(no-such-file\); the next try/)]);
  });

  it('says so of a guest agent too', async () => {
    const machine = await fakeMachine(scene);
    const agent = `unix:${path.join(scene.directory(), 'none')}`;
    const vm = await registerVm(gateway, machine.endpoint, { agent });
    for (;;) {
      const answer = await ask('GET', `/v1/vms/${vm}/agent/guest-ping`, undefined, undefined);
      if (answer.status === 504) continue;
      expect(answer.json()).toMatchObject({ ...full, detail: expect.stringContaining('guest agent') as string });
      break;
    }
  });
});
