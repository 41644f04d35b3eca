import { once } from 'node:events';
import path from 'node:path';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { agentBecomes, AgentScene } from './agent-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { makeToken } from './gateway-scene.js';
import { exchange, type ExchangeOptions } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new AgentScene();
let gateway: GatewayProcess;
let monitors: string;
/** A VM that others use, and its guest agent: what anybody sends must not end their sessions. */
const vm = 'shared';
let epochs: unknown;

beforeAll(async () => {
  const agent = await scene.guestAgent(scene.directory());
  monitors = scene.directory();
  gateway = await scene.gatewayWithAgents({ [vm]: agent.socket }, { monitorSockets: { dir: monitors } });
  await gateway.vmBecomes(vm, 'ready');
  await agentBecomes(gateway, vm, 'ready');
  epochs = await sessions();
});
afterAll(() => scene.end());
afterEach(async () => expect(await sessions()).toEqual(epochs));

/** Of the monitor and of the agent, each after it has answered. */
async function sessions(): Promise<unknown> {
  const status = await exchange(gateway, `/v1/vms/${vm}/qmp/query-status`);
  const ping = await exchange(gateway, `/v1/vms/${vm}/agent/guest-ping`, { method: 'POST' });
  return [status, ping].map(({ status: httpStatus, headers }) => [httpStatus, headers['qmp-vm-epoch']]);
}

/** In JSON, and decoded. JSON allows each of them (RFC 8259 section 8.2), and QEMU answers none with an id. */
const unreadable: readonly (readonly [json: string, decoded: string])[] = [
  ['\uFFFE', '\uFFFE'],
  ['\uFDD0', '\uFDD0'],
  ['\u{1FFFF}', '\u{1FFFF}'],
  ['\\uffff', '\uFFFF'],
  ['\\uFDEF', '\uFDEF'],
  ['\\uDBFF\\uDFFE', '\u{10FFFE}'],
];

async function refused(resource: string, options?: ExchangeOptions): Promise<string> {
  const answer = await exchange(gateway, resource, options);
  expect([resource, answer.json()]).toEqual([
    resource,
    expect.objectContaining({ status: 400, code: 'malformed-json', outcome: 'not-sent', retryable: false }),
  ]);
  return String(answer.json()['detail']);
}

describe.each(unreadable)('a character that no QMP server reads (%j)', (json, decoded) => {
  const inQuery = encodeURIComponent(`a${decoded}`);
  const name = `U\\+${decoded.codePointAt(0)!.toString(16).toUpperCase()}`;
  const qmp = `/v1/vms/${vm}/qmp`;
  const agent = `/v1/vms/${vm}/agent`;

  it.each([
    ['a body', `${qmp}/qom-list`, `{"path":"a${json}"}`, 11],
    ['a name in a body', `${qmp}/qom-list`, `{"a${json}":1}`, 4],
    ['the message form', qmp, `{"execute":"qom-list","arguments":{"path":"a${json}"}}`, 45],
    ['the id of the message form', qmp, `{"execute":"query-status","id":"a${json}"}`, 34],
    ['the name of a command in the message form', qmp, `{"execute":"a${json}"}`, 14],
    ['the body of a fan-out', '/v1/qmp/qom-list?vm=*', `{"path":"a${json}"}`, 11],
    ['the body of an agent command', `${agent}/guest-file-open`, `{"path":"a${json}"}`, 11],
    ['the message form of an agent', agent, `{"execute":"guest-file-open","arguments":{"path":"a${json}"}}`, 52],
    ['a program for the guest', `${agent}/exec`, `{"path":"a${json}"}`, 11],
    ['keys to type', `/v1/vms/${vm}/keys`, `{"text":"a${json}"}`, 11],
    ['keys by their names', `/v1/vms/${vm}/keys`, `{"keys":["a${json}"]}`, 12],
    ['a token to make', '/v1/tokens', `{"level":"read","name":"a${json}"}`, 26],
  ])('is refused in %s, with its position', async (_, resource, body, column) => {
    const detail = await refused(resource, { body });
    expect(detail).toMatch(new RegExp(`line 1, column ${column}: noncharacter ${name} in a string`));
  });

  it('is refused in what is put', async () => {
    const registration = await refused('/v1/vms/other', {
      method: 'PUT',
      body: `{"endpoint":"unix:/run/x","labels":{"a":"a${json}"}}`,
    });
    expect(registration).toMatch(/line 1, column 43: /);
    const value = await refused(`/v1/vms/${vm}/qom/machine/type`, { method: 'PUT', body: `"a${json}"` });
    expect(value).toMatch(/line 1, column 3: /);
  });

  it.each([
    ['the query of a command', `${qmp}/qom-list?path=${inQuery}`, 'parameter "path"'],
    ['a name in the query of a command', `${qmp}/qom-list?${inQuery}=1`, 'name of parameter "a.*"'],
    ['the query of an agent command', `${agent}/guest-get-fsinfo?${inQuery}=1`, 'name of parameter "a.*"'],
    ['the path of a file of the guest', `${agent}/files?path=${inQuery}`, 'parameter "path"'],
    ['a display', `/v1/vms/${vm}/screen.png?device=${inQuery}`, 'parameter "device"'],
  ])('is refused in %s, with the parameter', async (_, resource, place) => {
    expect(await refused(resource)).toMatch(new RegExp(`^${place}: noncharacter ${name} at character 2`));
  });

  it('is refused in a path of the object tree, and in that of a file to write', async () => {
    for (const options of [{}, { method: 'PUT', body: '1' }])
      expect(await refused(`/v1/vms/${vm}/qom/machine/${inQuery}`, options)).toMatch(
        new RegExp(`^The path of the object tree: noncharacter ${name} at character 11`),
      );
    const file = { method: 'PUT', body: 'x', headers: { 'Content-Type': 'application/octet-stream' } };
    expect(await refused(`${agent}/files?path=${inQuery}`, file)).toMatch(/^parameter "path": noncharacter/);
  });

  it('names no command, no VM and no event', async () => {
    for (const [resource, code] of [
      [`${qmp}/${inQuery}`, 'command-not-found'],
      [`${agent}/${inQuery}`, 'command-not-found'],
      [`/v1/vms/${inQuery}/qmp/query-status`, 'vm-not-found'],
      [`/v1/vms/${vm}/events?event=${inQuery}`, 'invalid-request'],
      [`/v1/vms?vm=${inQuery}`, 'invalid-request'],
    ] as const)
      expect([resource, (await exchange(gateway, resource)).json()['code']]).toEqual([resource, code]);
  });

  it('is refused in JSON-RPC, with its position', async () => {
    const client = await JsonRpcClient.connect(gateway);
    const params = `{"vm":"${vm}","command":"qom-list","arguments":{"path":"a${json}"}}`;
    const answer = await client.unanswerable('execute', params);
    expect(answer).toMatchObject({ id: null, error: { code: -32700 } });
    expect(answer.error?.message).toMatch(new RegExp(`^line 1, column \\d+: noncharacter ${name} in a string`));
    expect((await client.request('ping', '{}')).error).toBeUndefined();
    client.close();
  });

  it('is refused on the shared monitor as QEMU does it: without an id, and the next is read', async () => {
    const message = `{"execute":"qom-list","arguments":{"path":"a${json}"},"id":1}`;
    const next = '{"execute":"query-status","id":2}';
    const client = scene.keep(await RawQmpClient.connect(path.join(monitors, `${vm}.sock`)), (one) => one.close());
    await client.negotiate();
    const bySocket = [await client.command(message), await client.command(next)];
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/vms/${vm}/monitor`, ['qmp'], {
      headers: { Authorization: `Bearer ${gateway.token ?? ''}` },
    });
    scene.keep(socket, (one) => one.terminate());
    const byWebSocket: string[] = [];
    await once(socket, 'message');
    for (const text of ['{"execute":"qmp_capabilities"}', message, next]) {
      socket.send(text);
      const [answer] = (await once(socket, 'message')) as [Buffer];
      byWebSocket.push(answer.toString());
    }
    for (const answers of [bySocket, byWebSocket.slice(1)].map((lines) =>
      lines.map((line) => JSON.parse(line) as unknown),
    ))
      expect(answers).toEqual([
        { error: { class: 'GenericError', desc: expect.stringMatching(new RegExp(`noncharacter ${name}`)) } },
        { return: expect.objectContaining({ running: false }), id: 2 },
      ]);
  });
});

describe('a zero with an exponent, which JSON has and QEMU has not', () => {
  it.each(['0e0', '-0E5', '0e+1'])('is refused: %s', async (number) => {
    const detail = await refused(`/v1/vms/${vm}/qmp/qom-list`, { body: `{"path":${number}}` });
    expect(detail).toMatch(/line 1, column 9: zero with an exponent/);
  });
});

it('costs a neighbour nothing, however often it is sent', async () => {
  const token = makeToken(gateway, { level: 'read', vms: [vm] });
  const headers = { Authorization: `Bearer ${token}` };
  const attack = Array.from({ length: 200 }, () =>
    exchange(gateway, `/v1/vms/${vm}/qmp/qom-list?path=%EF%BF%BE`, { headers }),
  );
  const answers: unknown[] = [];
  for (let at = 0; at < 200; at++) {
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/query-status`);
    answers.push([answer.status, answer.headers['qmp-vm-epoch']]);
  }
  const refusals = await Promise.all(attack);
  expect(new Set(refusals.map((answer) => answer.json()['code']))).toEqual(new Set(['malformed-json']));
  const [[, epoch]] = epochs as [[number, string]];
  expect(answers).toEqual(Array.from({ length: 200 }, () => [200, epoch]));
});

it.each([
  `/v1/vms/${vm}/qmp/qom-list?path=%FF`,
  `/v1/vms/${vm}/qmp/qom-list?path=%ED%A0%80`,
  `/v1/vms/${vm}/qmp/qom-list?path=%&%C3=a`,
  `/v1/vms/${vm}/agent/files?path=/tmp/%E4`,
  `/v1/vms/${vm}/qom?%F5`,
  '/v1/vms?vm=%C3',
  '/v1/events?type=%80',
])('bytes of a query that are no UTF-8 are not taken for another text: %s', async (resource) => {
  expect(await refused(resource)).toContain('UTF-8');
});

it('escapes of a query that are UTF-8, and a percent sign, are what they are', async () => {
  for (const [written, meant] of [
    ['%C3%A4', '\u00e4'],
    ['a%', 'a%'],
    ['%zz%F0%9F%98%80', '%zz\u{1F600}'],
    ['%EF%BF%BD', '\uFFFD'],
  ] as const) {
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/qom-list?path=${written}`);
    expect(answer.json()).toMatchObject({ code: 'device-not-found', detail: `Device '${meant}' not found` });
  }
});
