import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { subjectAttributes } from './access-settings.js';
import type { Flags } from './flags.js';
import { loadSettings, SettingsError } from './load-settings.js';
import type { Settings } from './settings.js';

let directory: string;
beforeEach(() => (directory = makeTempDir()));
afterEach(() => removeTempDir(directory));

function load(file: object, flags: Flags = {}, environment = {}): Settings {
  const config = path.join(directory, 'settings.yaml');
  // YAML 1.2 holds all of JSON.
  writeFileSync(config, JSON.stringify(file));
  return loadSettings({ config, ...flags }, environment);
}
function faults(file: object, flags: Flags = {}): readonly string[] {
  try {
    load(file, flags);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}
const jwt = { issuer: 'https://id.example.org', audience: 'qmp', jwks: 'https://id.example.org/keys' };
const tls = { cert: 'c.pem', key: 'k.pem' };

describe('tls', () => {
  it('comes from the file, the environment and flags, the later ones first', () => {
    expect(load({}).tls).toBeUndefined();
    expect(load({ tls: { ...tls, clientCa: 'ca.pem' } }).tls).toEqual({ ...tls, clientCa: 'ca.pem' });
    const environment = { QMPGW_TLS_CERT: 'e.pem', QMPGW_TLS_KEY: 'f.pem' };
    expect(load({ tls }, { tlsCert: 'flag.pem' }, environment).tls).toMatchObject({ cert: 'flag.pem', key: 'f.pem' });
  });

  it.each([
    [{ tls: { cert: 'c.pem' } }, ['tls.key']],
    [{ tls: { ...tls, ca: 'x' } }, ['tls.ca']],
    [{ tls: 'yes' }, ['tls']],
    [{ clientCertificates: [{ subject: 'CN=ops', level: 'read' }] }, ['clientCertificates']],
  ])('%j is wrong at %j', (file, paths) => {
    expect(faults(file).map((fault) => fault.split(':')[0])).toEqual(paths);
  });

  it('takes no certificate without its key from flags either', () => {
    expect(faults({}, { tlsCert: 'c.pem' }).map((fault) => fault.split(':')[0])).toEqual(['tls.key']);
  });
});

describe('jwt', () => {
  it('has defaults that admit no shared secrets', () => {
    expect(load({ jwt }).jwt).toEqual({
      ...jwt,
      algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
      levelClaim: 'level',
      vmsClaim: 'vms',
    });
  });

  it.each([
    [{ ...jwt, algorithms: ['HS256'] }, 'jwt.algorithms.0'],
    [{ ...jwt, algorithms: ['ES256', 'none'] }, 'jwt.algorithms.1'],
    [{ ...jwt, algorithms: [] }, 'jwt.algorithms'],
    [{ ...jwt, jwks: 'http://id.example.org/keys' }, 'jwt.jwks'],
    [{ ...jwt, jwks: 'ftp://id.example.org/keys' }, 'jwt.jwks'],
    [{ ...jwt, jwks: 5 }, 'jwt.jwks'],
    [{ ...jwt, issuer: '' }, 'jwt.issuer'],
    [{ ...jwt, secret: 'x' }, 'jwt.secret'],
  ])('%j is wrong at %s', (value, where) => {
    expect(faults({ jwt: value }).map((fault) => fault.split(':')[0])).toEqual([where]);
  });

  it.each(['http://localhost:9/keys', 'http://127.0.0.1:9/keys', 'http://[::1]:9/keys', '/etc/keys.json', 'keys.json'])(
    'takes keys from %s',
    (jwks) => expect(faults({ jwt: { ...jwt, jwks } })).toEqual([]),
  );

  it('does not go with auth: none', () => {
    expect(faults({ jwt, auth: 'none' })).toEqual([expect.stringMatching(/^auth: /)]);
  });
});

describe('clientCertificates', () => {
  const certificates = (...clientCertificates: unknown[]) => ({
    tls: { ...tls, clientCa: 'ca.pem' },
    clientCertificates,
  });

  it('reach all VMs when nothing is said', () => {
    const [first] = load(certificates({ subject: 'CN=ops', level: 'configure' })).clientCertificates;
    expect(first).toEqual({ subject: 'CN=ops', level: 'configure', vms: ['*'] });
  });

  it.each([
    [{ subject: 'ops', level: 'read' }, 'clientCertificates.0.subject'],
    [{ subject: 'CN=ops', level: 'root' }, 'clientCertificates.0.level'],
    [{ subject: 'CN=ops', level: 'read', vms: 'web-1' }, 'clientCertificates.0.vms'],
    [{ subject: 'CN=ops', level: 'read', vm: [] }, 'clientCertificates.0.vm'],
    ['CN=ops', 'clientCertificates.0'],
  ])('%j is wrong at %s', (entry, where) => {
    expect(faults(certificates(entry)).map((fault) => fault.split(':')[0])).toEqual([where]);
  });
});

it.each([
  ['CN=ops', ['CN=ops']],
  ['CN=ops, O=Example', ['CN=ops', 'O=Example']],
  ['O=Example,CN=ops', ['CN=ops', 'O=Example']],
  ['CN=a,CN=b', ['CN=a', 'CN=b']],
  ['O=Smith, Jones and Co,CN=x', ['CN=x', 'O=Smith, Jones and Co']],
  ['CN=a\\,CN=b', ['CN=a,CN=b']],
  ['ops', undefined],
  ['CN=', undefined],
  ['', undefined],
])('the attributes of %j are %j', (subject, attributes) => {
  expect(subjectAttributes(subject)).toEqual(attributes);
});

it('limits.requestsPerSecond is off unless it is set', () => {
  expect(load({}).limits.requestsPerSecond).toBe(0);
  expect(load({ limits: { requestsPerSecond: 5 } }).limits.requestsPerSecond).toBe(5);
  expect(faults({ limits: { requestsPerSecond: -1 } })).toHaveLength(1);
});
