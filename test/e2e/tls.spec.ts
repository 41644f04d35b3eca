import { makeCertificates, type Certificate } from '@qmp-gateway/test-kit';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene } from './gateway-scene.js';
import { secureExchange, type SecureExchange } from './tls-exchange.js';

const scene = new GatewayScene();
const certificates = makeCertificates();
const { ca, client, stranger } = certificates;
let gateway: GatewayProcess;
let files: { cert: string; key: string };

function install(certificate: Certificate): void {
  writeFileSync(files.cert, certificate.cert);
  writeFileSync(files.key, certificate.key);
}

beforeAll(async () => {
  const directory = scene.directory();
  files = { cert: path.join(directory, 'cert.pem'), key: path.join(directory, 'key.pem') };
  const clientCa = path.join(directory, 'ca.pem');
  writeFileSync(clientCa, ca.cert);
  install(certificates.server);
  gateway = await scene.gateway({
    settings: {
      tls: { ...files, clientCa },
      clientCertificates: [{ subject: 'CN=qmp-gateway', level: 'operate', vms: ['web-*'] }],
    },
  });
});
afterAll(() => scene.end());

const get = (resource: string, options: object = {}): Promise<SecureExchange> =>
  secureExchange(gateway.url.replace('127.0.0.1', 'localhost') + resource, { ca: ca.cert, ...options });

it('says https, speaks TLS 1.3, and makes no root token beside client certificates', async () => {
  expect(gateway.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(await get('/v1')).toMatchObject({ status: 200, protocol: 'TLSv1.3', json: { name: 'qmp-gateway' } });
  await expect(get('/v1', { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version|ECONNRESET/);
  expect(gateway.token).toBeUndefined();
});

describe('client certificates', () => {
  it('stand for what the settings say of their subject', async () => {
    const answer = await get('/v1/access', { cert: client.cert, key: client.key });
    expect(answer.json).toEqual({
      principal: 'certificate:CN=qmp-gateway',
      level: 'operate',
      vms: ['web-*'],
      commands: { allow: ['*'], deny: [] },
    });
  });

  it('of another authority are worth nothing, whatever they are called', async () => {
    const answer = await get('/v1/access', { cert: stranger.cert, key: stranger.key });
    expect(answer).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
    expect(answer.json['detail']).toContain('not trusted');
  });

  it('of no entry are refused by name', async () => {
    const answer = await get('/v1/access', { cert: certificates.server.cert, key: certificates.server.key });
    expect(answer.status).toBe(401);
  });

  it('are not needed for what is open, and no certificate is no principal', async () => {
    expect((await get('/livez')).status).toBe(200);
    expect(await get('/v1/access')).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
  });

  it('count in a WebSocket handshake', async () => {
    const url = gateway.url.replace('https', 'wss');
    const socket = new WebSocket(`${url}/v1/ws`, ['qmp-gateway.v1'], {
      ca: ca.cert,
      cert: client.cert,
      key: client.key,
    });
    const answer = await new Promise<string>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('{"jsonrpc":"2.0","id":1,"method":"ping"}'));
      socket.on('message', (data: Buffer) => resolve(data.toString()));
    });
    expect(JSON.parse(answer)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    socket.terminate();
  });
});

it('takes the certificate for a name of its own, and others for none', async () => {
  const host = (value: string) => get('/v1', { servername: 'localhost', headers: { Host: value } });
  const port = gateway.url.split(':').at(-1) ?? '';
  expect((await host(`localhost:${port}`)).status).toBe(200);
  expect((await host(`evil.example:${port}`)).status).toBe(403);
  const origin = (value: string) => get('/v1', { headers: { Origin: value } });
  expect((await origin(`https://localhost:${port}`)).status).toBe(200);
  expect((await origin(`http://localhost:${port}`)).status).toBe(403);
});

it('takes other entries of clientCertificates on SIGHUP: open streams of those that are gone or changed end', async () => {
  const shown = { cert: client.cert, key: client.key };
  const access = async () => (await get('/v1/access', shown)).json;
  const address = gateway.url.replace('https', 'wss').replace('127.0.0.1', 'localhost');
  const socket = new WebSocket(`${address}/v1/ws`, ['qmp-gateway.v1'], { ca: ca.cert, ...shown });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => socket.on('open', resolve));
  gateway.rewriteSettings({
    tls: { ...files, clientCa: path.join(path.dirname(files.cert), 'ca.pem') },
    clientCertificates: [{ subject: 'CN=qmp-gateway', level: 'read' }],
  });
  gateway.process.kill('SIGHUP');
  await expect.poll(access, { timeout: 10_000 }).toMatchObject({ level: 'read', vms: ['*'] });
  expect(await closed).toBe(4401);
});

it('reads certificates anew on SIGHUP without ending what is open', async () => {
  const before = await get('/v1');
  const renewed = makeCertificates();
  install(renewed.server);
  const log = () => gateway.log().map(({ msg }) => msg);
  const told = (message: string, times: number) =>
    expect.poll(() => log().filter((line) => line === message).length, { timeout: 10_000 }).toBe(times);
  gateway.process.kill('SIGHUP');
  await told('settings and the files they name read again', 2);
  const after = await get('/v1', { ca: renewed.ca.cert });
  expect(after.status).toBe(200);
  expect(after.fingerprint).not.toBe(before.fingerprint);
  // What can't be read changes nothing.
  writeFileSync(files.key, 'no key');
  gateway.process.kill('SIGHUP');
  await told('settings cannot be read again; all stays as it was', 1);
  expect((await get('/v1', { ca: renewed.ca.cert })).fingerprint).toBe(after.fingerprint);
  expect(readFileSync(files.key, 'utf8')).toBe('no key');
});
