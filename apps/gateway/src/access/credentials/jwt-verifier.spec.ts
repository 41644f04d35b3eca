import { makeTempDir, ManualClock, removeTempDir } from '@qmp-gateway/test-kit';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../problems/problem.js';
import { jwtType, type JwtSettings } from '../../settings/access-settings.js';
import { JwtVerifier, looksLikeJwt } from './jwt-verifier.js';
import type { Principal } from '../principal.js';

const start = Date.parse('2026-01-01T00:00:00Z');
const issuer = 'https://id.example.org';
let directory: string;
let file: string;
let keys: { publicKey: CryptoKey; privateKey: CryptoKey };
let other: { publicKey: CryptoKey; privateKey: CryptoKey };
let clock = new ManualClock(start);

const keySet = async (...publicKeys: CryptoKey[]) =>
  JSON.stringify({
    keys: await Promise.all(
      publicKeys.map(async (key, at) => ({ ...(await exportJWK(key)), kid: `k${at}`, alg: 'ES256' })),
    ),
  });

beforeAll(async () => {
  directory = makeTempDir();
  file = path.join(directory, 'jwks.json');
  keys = await generateKeyPair('ES256');
  other = await generateKeyPair('ES256');
  writeFileSync(file, await keySet(keys.publicKey));
});
afterAll(() => removeTempDir(directory));

const verifier = (settings: Partial<JwtSettings> = {}) => {
  clock = new ManualClock(start);
  const all = { issuer, audience: 'qmp-gateway', jwks: file, algorithms: ['ES256' as const], ...settings };
  return new JwtVerifier(jwtType.read(all).value!, clock);
};
const token = (claims: JWTPayload = {}, key = keys.privateKey, header: object = {}) =>
  new SignJWT({
    iss: issuer,
    aud: 'qmp-gateway',
    sub: 'ada',
    exp: start / 1000 + 3600,
    level: 'operate',
    vms: ['web-*'],
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k0', ...header })
    .sign(key);
const codeOf = (result: Principal | Problem) => (result instanceof Problem ? result.code : result.id);

describe('a token of the issuer', () => {
  it('stands for its subject, with level and VMs of its claims', async () => {
    const principal = await verifier().authenticate(await token());
    expect(principal).toMatchObject({
      id: 'jwt:ada',
      grant: { level: 'operate', vms: ['web-*'] },
      expires: start + 3_600_000,
    });
  });

  it('is known at once the second time, until it expires', async () => {
    const gate = verifier();
    const text = await token();
    const principal = (await gate.authenticate(text)) as Principal;
    expect(gate.authenticate(text)).toBe(principal);
    clock.advance(3_600_000 + 6_000);
    expect(principal.stillValid()).toBe(false);
    expect(codeOf(await gate.authenticate(text))).toBe('unauthenticated');
  });

  it.each([
    [{ vms: undefined }, []],
    [{ vms: 'web-1' }, ['web-1']],
    [{ vms: ['label:tenant=a', 5, 'not a glob', '*'] }, ['label:tenant=a', '*']],
    [{ vms: { 0: '*' } }, []],
  ])('with %j sees %j', async (claims, vms) => {
    expect(await verifier().authenticate(await token(claims as JWTPayload))).toMatchObject({ grant: { vms } });
  });

  it('may hold its claims under other names', async () => {
    const gate = verifier({ levelClaim: 'https://example.org/level', vmsClaim: 'qmp.vms' });
    const text = await token({ 'https://example.org/level': 'read', qmp: { vms: ['db-*'] } });
    expect(await gate.authenticate(text)).toMatchObject({ grant: { level: 'read', vms: ['db-*'] } });
  });
});

describe('refused is', () => {
  it.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'someone-else' }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is over', { exp: start / 1000 - 6 }],
    ['a start that is to come', { nbf: start / 1000 + 60 }],
  ])('%s', async (_what, claims) => {
    expect(codeOf(await verifier().authenticate(await token(claims as JWTPayload)))).toBe('unauthenticated');
  });

  it('a signature of another key', async () => {
    expect(codeOf(await verifier().authenticate(await token({}, other.privateKey)))).toBe('unauthenticated');
  });

  it('no signature at all', async () => {
    const none = new UnsecuredJWT({ iss: issuer, aud: 'qmp-gateway', sub: 'ada', level: 'host', vms: ['*'] });
    const text = none.setExpirationTime('1h').encode();
    expect(looksLikeJwt(text)).toBe(true);
    expect(codeOf(await verifier().authenticate(text))).toBe('unauthenticated');
  });

  it('the public key used as a shared secret', async () => {
    const secret = new TextEncoder().encode(await keySet(keys.publicKey));
    const forged = await new SignJWT({ iss: issuer, aud: 'qmp-gateway', sub: 'ada', level: 'host', vms: ['*'] })
      .setProtectedHeader({ alg: 'HS256', kid: 'k0' })
      .setExpirationTime('1h')
      .sign(secret);
    expect(codeOf(await verifier().authenticate(forged))).toBe('unauthenticated');
  });

  it('an algorithm that is not on the list', async () => {
    expect(codeOf(await verifier({ algorithms: ['RS256'] }).authenticate(await token()))).toBe('unauthenticated');
  });

  it.each([{ level: undefined }, { level: 'root' }, { level: ['host'] }])(
    'a claim that names no level: %j',
    async (claims) => {
      expect(codeOf(await verifier().authenticate(await token(claims as JWTPayload)))).toBe('forbidden');
    },
  );
});

it('takes new keys on reload, and no longer the old ones', async () => {
  const rotating = path.join(directory, 'rotating.json');
  writeFileSync(rotating, await keySet(keys.publicKey));
  const gate = verifier({ jwks: rotating });
  const old = await token();
  const fresh = await token({}, other.privateKey);
  expect(codeOf(await gate.authenticate(old))).toBe('jwt:ada');
  expect(codeOf(await gate.authenticate(fresh))).toBe('unauthenticated');
  writeFileSync(rotating, await keySet(other.publicKey));
  gate.reload();
  expect(codeOf(await gate.authenticate(old))).toBe('unauthenticated');
  expect(codeOf(await gate.authenticate(fresh))).toBe('jwt:ada');
  writeFileSync(rotating, 'no keys');
  expect(() => gate.reload()).toThrow(/is not a JSON Web Key Set/);
  expect(codeOf(await gate.authenticate(fresh))).toBe('jwt:ada');
});

it('that is withdrawn ends what it let in: another issuer counts now', async () => {
  const gate = verifier();
  const principal = (await gate.authenticate(await token())) as Principal;
  expect(principal.stillValid()).toBe(true);
  gate.withdraw();
  expect(principal.stillValid()).toBe(false);
});

it('refuses while the issuer cannot be asked, and says so once a minute', async () => {
  const server = createServer((_request, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const told: string[] = [];
  clock = new ManualClock(start);
  const settings = { issuer, audience: 'qmp-gateway', jwks: `http://127.0.0.1:${port}/keys` };
  const gate = new JwtVerifier(jwtType.read(settings).value!, clock, {
    keysUnavailable: (error) => told.push(error),
  });
  const text = await token();
  for (const seconds of [0, 1, 60]) {
    clock.advance(seconds * 1000);
    expect(await gate.authenticate(text)).toMatchObject({
      code: 'unauthenticated',
      detail: expect.stringContaining('keys'),
    });
  }
  expect(told).toHaveLength(2);
  server.close();
  server.closeAllConnections();
});

it('fetches keys from a URL once for many tokens', async () => {
  let fetched = 0;
  const body = await keySet(keys.publicKey);
  const server = createServer((_request, response) => {
    fetched++;
    response.setHeader('Content-Type', 'application/json').end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gate = verifier({ jwks: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` });
  for (const sub of ['ada', 'grace']) expect(codeOf(await gate.authenticate(await token({ sub })))).toBe(`jwt:${sub}`);
  expect(fetched).toBe(1);
  server.close();
  server.closeAllConnections();
});
