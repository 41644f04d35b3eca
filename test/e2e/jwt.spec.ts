import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FakeCommand } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let gateway: GatewayProcess;
let machine: FakeMachine;

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token of the issuer, made by hand as RFC 7515 has it. */
function jwt(claims: object): string {
  const seconds = Math.floor(Date.now() / 1000);
  const all = { iss: 'https://id.example.org', aud: 'qmp', sub: 'ada', exp: seconds + 3600, ...claims };
  const text = `${part({ alg: 'ES256', kid: 'k1' })}.${part(all)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

beforeAll(async () => {
  machine = await fakeMachine(scene);
  const asked = await machine.fake.handlers.get('query-qmp-schema')?.({} as FakeCommand);
  const known = JSON.parse((asked as { json: string }).json) as unknown[];
  const getter = { name: 'query-block', 'meta-type': 'command', 'arg-type': 'empty', 'ret-type': 'any' };
  machine.fake.on('query-qmp-schema', () => ({ return: [...known, getter] }));
  const jwks = path.join(scene.directory(), 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }));
  gateway = await scene.gateway({
    settings: {
      ...fakeMachineSettings,
      vms: { 'web-1': { endpoint: machine.endpoint }, 'db-1': { endpoint: 'unix:/nosuch/db.qmp' } },
      jwt: { issuer: 'https://id.example.org', audience: 'qmp', jwks, algorithms: ['ES256'], levelClaim: 'role' },
    },
  });
  const waited = await as({ role: 'read', vms: ['*'] }, '/v1/vms/web-1?wait=30s');
  expect(waited.json()).toMatchObject({ state: 'ready' });
});
afterAll(() => scene.end());

const as = (claims: object, resource: string) => exchange({ ...gateway, token: jwt(claims) }, resource);

it('makes no root token', () => expect(gateway.token).toBeUndefined());

it('gives what the same subject got with more to nobody who comes with less', async () => {
  const secret = 'https://ada:hunter2@host/disk.qcow2';
  machine.fake.on('query-block', () => ({ return: [{ device: 'd', inserted: { file: secret } }] }));
  const headers = { 'Idempotency-Key': 'k1' };
  const host = { ...gateway, token: jwt({ role: 'host', vms: '*' }) };
  const begun = await run(host, 'web-1', 'query-block', { args: '{}', headers });
  expect([begun.status, begun.text]).toEqual([200, expect.stringContaining('hunter2')]);
  const operation = `/v1/vms/web-1/operations/${String(begun.headers['qmp-operation'])}`;
  expect((await exchange(host, operation)).text).toContain('hunter2');
  expect((await run(host, 'web-1', 'query-block', { args: '{}', headers })).text).toContain('hunter2');
  const reader = { ...gateway, token: jwt({ role: 'read', vms: '*' }) };
  const again = await run(reader, 'web-1', 'query-block', { args: '{}', headers });
  expect([again.status, again.text.includes('hunter2')]).toEqual([403, false]);
  const read = await exchange(reader, operation);
  expect([read.status, read.json()['state'], 'return' in read.json()]).toEqual([200, 'done', false]);
});

it('grants level and VMs by claims', async () => {
  const answer = await as({ role: 'operate', vms: ['web-*'] }, '/v1/vms');
  expect((answer.json()['vms'] as { id: string }[]).map(({ id }) => id)).toEqual(['web-1']);
  const operator = { ...gateway, token: jwt({ role: 'operate', vms: ['web-*'] }) };
  const reader = { ...gateway, token: jwt({ role: 'read', vms: ['web-*'] }) };
  machine.takeReceived();
  expect((await run(operator, 'web-1', 'stop')).status).toBe(200);
  expect((await run(reader, 'web-1', 'stop')).json()).toMatchObject({ code: 'forbidden' });
  // With a body: it waits on the connection while the signature is checked.
  expect((await run(reader, 'web-1', 'stop', '{}')).status).toBe(403);
  expect((await run({ ...gateway, token: jwt({ role: 'operate', vms: '*' }) }, 'web-1', 'cont', '{}')).status).toBe(
    200,
  );
  expect(machine.takeReceived()).toEqual(['stop', 'cont']);
});

it('refuses what the issuer did not sign so', async () => {
  expect((await as({ role: 'host', vms: ['*'], aud: 'other' }, '/v1/vms')).status).toBe(401);
  expect((await as({ role: 'host', vms: ['*'], exp: 1 }, '/v1/vms')).status).toBe(401);
  expect((await as({ role: 'boss', vms: ['*'] }, '/v1/vms')).status).toBe(403);
});

it('works in a WebSocket handshake, where a browser sends it as a sub-protocol', async () => {
  const open = (token: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/ws`, ['qmp-gateway.v1', `bearer.${token}`]);
      socket.on('open', () => {
        resolve(socket.protocol);
        socket.terminate();
      });
      socket.on('error', (error) => resolve(error.message));
    });
  expect(await open(jwt({ role: 'read', vms: ['*'] }))).toBe('qmp-gateway.v1');
  expect(await open(jwt({ role: 'read', vms: ['*'], iss: 'https://evil.example' }))).toContain('401');
});
