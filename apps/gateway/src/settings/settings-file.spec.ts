import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flagsFromEnvironment, settingFlags } from './flags.js';
import { loadSettings, readSettings } from './load-settings.js';
import { describedSettings } from './setting.js';
import { nestedSettings, SettingsFile } from './settings-file.js';

let directory: string;
beforeEach(() => (directory = makeTempDir()));
afterEach(() => removeTempDir(directory));

function read(yaml: string, environment: Record<string, string> = {}) {
  const config = path.join(directory, 'settings.yaml');
  writeFileSync(config, yaml);
  return readSettings({ config }, environment);
}

describe('the classes of the settings', () => {
  it.each(Object.entries({ top: SettingsFile, ...nestedSettings }))('describe every key: %s', (_, Class) => {
    expect([...describedSettings(Class).keys()]).toEqual(Object.keys(new Class()));
  });

  it('have examples that are valid, each for itself in its place and all together', () => {
    const examples = [...describedSettings(SettingsFile)].map(([key, { example }]) => `${key}: ${example}\n`);
    expect(read(examples.join('')).faults).toEqual([]);
    for (const [key, Class] of Object.entries(nestedSettings)) {
      const members = [...describedSettings(Class)].map(([member, { example }]) => `  ${member}: ${example}\n`);
      expect(read(`${key}:\n${members.join('')}`).faults).toEqual([]);
    }
  });
});

describe('flags', () => {
  it('have each a name and a variable of their own', () => {
    const names = settingFlags.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(settingFlags.map(({ variable }) => variable)).toContain('QMPGW_TLS_CLIENT_CA');
  });

  it('are taken from the environment: lists by commas, switches by yes and no, nothing from what is empty', () => {
    const faults: string[] = [];
    const environment = {
      QMPGW_LISTEN: 'localhost:1, unix:/run/a',
      QMPGW_ALLOW_HOST: 'no',
      QMPGW_STATE: '',
      QMPGW_LOG_LEVEL: 'debug',
      QMPGW_CONFIG: 'gw.yaml',
      QMPGW_SERVICE_HOST: '10.0.0.1',
    };
    expect(flagsFromEnvironment(environment, faults)).toEqual({
      ...{ config: 'gw.yaml', listen: ['localhost:1', 'unix:/run/a'], allowHost: false, logLevel: 'debug' },
    });
    flagsFromEnvironment({ QMPGW_ALLOW_HOST: 'perhaps' }, faults);
    expect(faults).toEqual(['QMPGW_ALLOW_HOST: must be true or false']);
  });

  it('add VMs and patterns to those of the file, and take the place of other lists', () => {
    const config = path.join(directory, 'settings.yaml');
    writeFileSync(config, 'vms: {a: {endpoint: "unix:/a"}}\ndiscover: [{qmp: "/run/{id}"}]\nlisten: ["localhost:1"]\n');
    const flags = { config, vm: ['b=unix:/b=c'], discover: ['/srv/{id}'], listen: ['localhost:2'] };
    const { vms, discover, listen } = loadSettings(flags, {});
    expect([...vms].map(([id, { endpoint }]) => [id, endpoint])).toEqual([
      ['a', 'unix:/a'],
      ['b', 'unix:/b=c'],
    ]);
    expect(discover).toEqual([{ qmp: '/run/{id}' }, { qmp: '/srv/{id}' }]);
    expect(listen).toEqual([{ kind: 'tcp', host: 'localhost', port: 2 }]);
  });
});

describe('faults', () => {
  it('of one setting hide none of another, and lead to none that does not follow', () => {
    const { faults, settings } = read('auth: maybe\nallowHost: true\nlisten: [nowhere, "0.0.0.0:1"]\nlimits: 5\n');
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual(['auth', 'limits', 'listen.0']);
    expect(settings.limits.queue).toBe(1000);
  });

  it.each([
    ['listen: ["localhost:80", "[::1]:80", "localhost:80"]', 'listen.2'],
    ['listen: ["unix:/run/qmp/gw.sock"]\ndiscover: [{qmp: "/run/qmp/{id}.sock"}]', 'discover.0.qmp'],
    ['monitorSockets: {dir: /run/qmp}\ndiscover: [{qmp: "/srv/{id}"}, {qmp: "/run/{x}/{id}.sock"}]', 'discover.1.qmp'],
    ['discover: [{qmp: "/run/{id}", agent: "/run/{rack}/{id}"}]', 'discover.0.agent'],
    ['discover: ["/run/{id}"]', 'discover.0'],
    ['a: &a [1]\nlisten: [*b]', path.join('settings.yaml')],
    ['vms: {a: {endpoint: "unix:/a"}, a: {endpoint: "unix:/b"}}', path.join('settings.yaml')],
    ['- listen', path.join('settings.yaml')],
  ])('%s', (yaml, where) => {
    const told = (() => {
      try {
        return read(yaml).faults;
      } catch (error) {
        return (error as { faults: string[] }).faults;
      }
    })();
    expect(told.map((fault) => fault.split(':')[0]?.replace(`${directory}/`, ''))).toEqual([where]);
  });
});
