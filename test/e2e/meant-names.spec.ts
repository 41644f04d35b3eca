import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
});
afterAll(() => scene.end());

describe('what people bring from elsewhere', () => {
  it.each([
    ['pause', 'stop'],
    ['resume', 'cont'],
    ['shutdown', 'system_powerdown'],
    ['reset', 'system_reset'],
    ['reboot', 'system_reset'],
    ['kill', 'quit'],
    ['info%20block', 'query-block'],
    ['status', 'query-status'],
    ['screenshot', 'screendump'],
  ])('%s is told the command of QMP: %s', async (word, command) => {
    const answer = await run(gateway, vm, word);
    expect(answer.json()).toMatchObject({ code: 'command-not-found', status: 404 });
    expect((answer.json()['suggestions'] as string[])[0]).toBe(command);
    expect(answer.json()['detail']).toContain(`Did you mean ${command}`);
  });

  it('is told of no command that this VM does not have', async () => {
    const { suggestions } = (await run(gateway, vm, 'cpus')).json();
    expect(suggestions).toEqual(['query-cpus-fast']);
  });

  it('names a path without /v1, without /qmp, with a slash too many', async () => {
    for (const [path, meant] of [
      ['/vms', '/v1/vms'],
      [`/vms/${vm}`, `/v1/vms/${vm}`],
      [`/v1/vms/${vm}/query-status`, `/v1/vms/${vm}/qmp/query-status`],
      [`/vms/${vm}/query-status`, `/v1/vms/${vm}/qmp/query-status`],
      [`/v1/vms/${vm}/qmp/query-status/`, `/v1/vms/${vm}/qmp/query-status`],
      [`/v1/vms/${vm}/event`, `/v1/vms/${vm}/events`],
    ] as const) {
      const answer = await exchange(gateway, path);
      expect([path, answer.json()]).toMatchObject([path, { code: 'route-not-found', suggestions: [meant] }]);
      expect(answer.json()['detail']).toContain(meant);
      expect((await exchange(gateway, `${meant}?limit=1`)).json()['code']).not.toBe('route-not-found');
    }
  });

  it('registers with POST, and is led to PUT', async () => {
    const answer = await exchange(gateway, '/v1/vms', { body: '{"id":"x","endpoint":"unix:/x"}' });
    expect(answer.json()).toMatchObject({ code: 'method-not-allowed', suggestions: ['PUT /v1/vms/{vm}'] });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    const message = await exchange(gateway, `/v1/vms/${vm}`, { body: '{"execute":"stop"}' });
    expect(message.json()).toMatchObject({ status: 405, suggestions: [`POST /v1/vms/${vm}/qmp`] });
  });

  it('sends a whole QMP message where arguments belong, and is led to where it belongs', async () => {
    const answer = await run(gateway, vm, 'query-status', '{"execute":"query-status"}');
    expect(answer.json()).toMatchObject({ code: 'invalid-arguments', suggestions: [`POST /v1/vms/${vm}/qmp`] });
    expect(answer.json()['detail']).toContain('a whole QMP message goes to');
    const wrapped = await run(gateway, vm, 'device_del', '{"arguments":{"id":"x"}}');
    expect(wrapped.json()['detail']).toContain('The body here is the arguments object itself');
  });

  it('mistypes the id of a VM, and is told of the nearest that the caller may see', async () => {
    const [first, second] = ['web-server-1', 'web-server-2'] as const;
    const body = '{"endpoint":"unix:/nowhere/at-all"}';
    for (const id of [first, second])
      expect((await exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body })).status).toBe(201);
    const typo = 'web_servr-1';
    for (const path of ['', '/qmp/query-status', '/events', '/operations']) {
      const { code, suggestions, detail } = (await exchange(gateway, `/v1/vms/${typo}${path}`)).json();
      expect([path, code, suggestions]).toEqual([path, 'vm-not-found', [first, second]]);
      expect(detail).toContain(`Did you mean ${first}`);
    }
    const narrow = { ...gateway, token: makeToken(gateway, { level: 'host', vms: [second] }) };
    expect((await exchange(narrow, `/v1/vms/${typo}`)).json()['suggestions']).toEqual([second]);
    // What exists and may not be seen is answered as what does not exist.
    expect((await exchange(narrow, `/v1/vms/${first}`)).json()['suggestions']).toEqual([second]);
    const blind = { ...gateway, token: makeToken(gateway, { level: 'host', vms: ['elsewhere'] }) };
    expect((await exchange(blind, `/v1/vms/${typo}`)).json()).not.toHaveProperty('suggestions');
  });

  it('names a key by another name, and is told that of QEMU', async () => {
    const keys = JSON.stringify({ keys: ['ctrl', 'alt', 'del'].map((data) => ({ type: 'qcode', data })) });
    const [fault] = (await run(gateway, vm, 'send-key', keys)).json()['errors'] as { suggestions: string[] }[];
    expect(fault?.suggestions[0]).toBe('delete');
    expect((await run(gateway, vm, 'cont')).status).toBe(200);
    const typed = await exchange(gateway, `/v1/vms/${vm}/keys`, { body: '{"keys":["ctrl","enter"]}' });
    const [other] = typed.json()['errors'] as { suggestions: string[] }[];
    expect([typed.status, other?.suggestions[0]]).toEqual([400, 'ret']);
  });
});
