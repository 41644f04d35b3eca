import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from './load-settings.js';
import { settingsChange, takeOverSettings } from './settings-change.js';

let directory: string;
beforeEach(() => (directory = makeTempDir()));
afterEach(() => removeTempDir(directory));

function settings(file: object) {
  const config = path.join(directory, 'settings.yaml');
  writeFileSync(config, JSON.stringify(file));
  return loadSettings({ config }, {});
}
const jwt = { issuer: 'i', audience: 'a', jwks: 'keys.json' };
const tls = { cert: 'c', key: 'k' };

describe('another settings file', () => {
  it.each<[string, object, object, string[], string[]]>([
    ['nothing', { limits: { queue: 1000 } }, {}, [], []],
    ['VMs and access', {}, { vms: { a: { endpoint: 'unix:/a' } }, allowedHosts: ['x'] }, ['allowedHosts', 'vms'], []],
    ['limits', {}, { limits: { queue: 5, lineBytes: 5 } }, ['limits.queue'], ['limits.lineBytes']],
    ['listeners and state', {}, { listen: ['localhost:1'], state: '/s' }, [], ['listen', 'state']],
    ['files of TLS', { tls }, { tls: { ...tls, cert: 'd' } }, ['tls.cert'], []],
    ['TLS itself', {}, { tls }, [], ['tls']],
    ['client certificates', { tls }, { tls: { ...tls, clientCa: 'x', key: 'l' } }, [], ['tls']],
    [
      'an issuer',
      {},
      { jwt },
      ['jwt.issuer', 'jwt.audience', 'jwt.jwks', 'jwt.algorithms', 'jwt.levelClaim', 'jwt.vmsClaim'],
      [],
    ],
    [
      'no issuer',
      { jwt },
      {},
      ['jwt.issuer', 'jwt.audience', 'jwt.jwks', 'jwt.algorithms', 'jwt.levelClaim', 'jwt.vmsClaim'],
      [],
    ],
  ])('%s', (_, before, after, taken, needRestart) => {
    const [current, fresh] = [settings(before), settings(after)];
    const change = settingsChange(current, fresh);
    expect(change).toEqual({ taken, needRestart });
    const { limits } = current;
    takeOverSettings(current, fresh, change);
    // Who holds the limits holds the new ones.
    expect(current.limits).toBe(limits);
    expect(settingsChange(current, fresh)).toEqual({ taken: [], needRestart });
  });
});
