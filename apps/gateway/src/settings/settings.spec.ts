import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flagsFromEnvironment, settingFlags } from './flags.js';
import { loadSettings, readSettings } from './load-settings.js';
import { groupIn } from './object-type.js';
import { describedSettings, type SettingDescription } from './setting.js';
import { shownFault, type DescribedClass, type SettingFault } from './setting-type.js';
import { SettingsFile } from './settings.js';

let directory: string;
beforeEach(() => (directory = makeTempDir()));
afterEach(() => removeTempDir(directory));

function read(yaml: string, environment: Record<string, string> = {}) {
  const config = path.join(directory, 'settings.yaml');
  writeFileSync(config, yaml);
  return readSettings({ config }, environment);
}

/** Every setting with its path, groups and the members of entries included. */
function everySetting(of: DescribedClass, prefix = ''): [string, SettingDescription][] {
  return [...describedSettings(of)].flatMap(([key, description]) => {
    const { members } = description.is;
    const path = `${prefix}${key}`;
    return [[path, description], ...(members === undefined ? [] : everySetting(members, `${path}.`))];
  });
}

const groups = [...describedSettings(SettingsFile)].flatMap(([key, description]) => {
  const Group = groupIn(description);
  return Group === undefined ? [] : [[key, Group] as const];
});

describe('the classes of the settings', () => {
  it.each(everySetting(SettingsFile))(
    'describe %s in a sentence, and its default is one that it takes',
    (_, setting) => {
      expect(setting.what).toMatch(/[.]\)?$/);
      if (setting.default !== undefined) expect(setting.is.read(setting.default)).toMatchObject({ faults: [] });
      else if (setting.required === true) expect(setting.defaultText).toBeUndefined();
    },
  );

  it('know of groups and of entries', () => {
    expect(groups.map(([key]) => key)).toEqual([
      'tls',
      'jwt',
      'pictures',
      'serials',
      'fleet',
      'audit',
      'history',
      'limits',
    ]);
    expect(everySetting(SettingsFile).map(([path]) => path)).toEqual(
      expect.arrayContaining(['listen.unix', 'vms.tls.serverName', 'monitorSockets.dir', 'limits.queue']),
    );
  });

  it('have examples that are valid, each for itself in its place and all together', () => {
    const exampleOf = (key: string, { example }: SettingDescription) => `${key}: ${example ?? 'missing'}\n`;
    const examples = [...describedSettings(SettingsFile)].map(([key, setting]) => exampleOf(key, setting));
    expect(read(examples.join('')).faults).toEqual([]);
    for (const [key, Group] of groups) {
      const members = [...describedSettings(Group)].map(([member, setting]) => `  ${exampleOf(member, setting)}`);
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
    const faults: SettingFault[] = [];
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
    expect(faults.map(shownFault)).toEqual(['QMPGW_ALLOW_HOST: must be true or false']);
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

  it('hide no other: an unknown key leaves what it stands beside as it is', () => {
    const { faults, faulty, settings } = read('limits: {queu: 1, queue: 7}\ntls: {cert: c, key: k, ca: x}\n');
    expect(faults).toEqual([
      'tls.ca: unknown (the keys are cert, key, clientCa)',
      'limits.queu: unknown (did you mean queue?)',
    ]);
    expect([...faulty]).toEqual([]);
    expect([settings.limits.queue, settings.tls]).toEqual([7, { cert: 'c', key: 'k' }]);
  });

  it('of keys that are no plain names quote them', () => {
    const { faults } = read(
      'vms: {"a b": {endpoint: "unix:/a"}, c: {endpoint: "unix:/c", labels: {"\\e[1m": x}}}\n"": 1\n',
    );
    expect(faults).toEqual([
      expect.stringMatching(/^"": unknown \(the keys are listen, state, /),
      expect.stringMatching(/^vms: "a b": an id is letters/),
      expect.stringMatching(/^vms\.c\.labels: "\\u001b\[1m": a key is letters/),
    ]);
  });

  it('are not found in keys without a value, in settings and in their groups', () => {
    const { faults, settings } = read('listen:\nlimits: {queue: , bodyBytes: 5}\ntls:\n');
    expect([faults, settings.limits.queue, settings.limits.bodyBytes]).toEqual([[], 1000, 5]);
    expect(settings.tls).toBeUndefined();
    expect(read('tls: {cert: , key: k}\n').faults).toEqual(['tls.cert: missing']);
    expect(read('vms: {a: {endpoint: "unix:/a", agent: }}\n').faults).toEqual([
      'vms.a.agent: must be a string such as unix:/run/qemu/vm.qmp',
    ]);
  });
});
