import { readJson, type QapiModel } from '@qmp-gateway/qapi';
import { parseEndpoint } from '@qmp-gateway/qmp';
import { describe, expect, it } from 'vitest';
import { aimsAtOwnMonitor, findOwnMonitor, mayBeOwnMonitor, pathToAskAbout } from './own-monitor.js';

const model = (commands: string[], objectTypes: string[] = []) =>
  ({
    commands: new Map(commands.map((name) => [name, { name }])),
    types: new Map([['ObjectType', { kind: 'enum', values: objectTypes.map((name) => ({ name })) }]]),
  }) as unknown as QapiModel;
const chardev = (label: string, filename: string) => ({ label, filename, 'frontend-open': true });
const find = (endpoint: string, answers: Record<string, unknown>, of = model(['query-chardev'])) =>
  findOwnMonitor(
    (command, json) => {
      const answer = answers[json === undefined ? command : `${command} ${json}`];
      return Promise.resolve(answer === undefined ? undefined : Buffer.from(JSON.stringify(answer)));
    },
    of,
    parseEndpoint(endpoint),
  );

describe('findOwnMonitor', () => {
  it.each([
    ['unix:/run/a.qmp', 'unix:/run/a.qmp,server=on'],
    ['unix:/run/a.qmp', 'unix:/run/a.qmp,server'],
    ['listen:unix:/run/a.qmp', 'unix:/run/a.qmp'],
    ['tcp:127.0.0.1:4444', 'tcp:0.0.0.0:4444,server=on <-> 127.0.0.1:51982'],
    ['tls:gw.example.org:4444', 'tcp:[::]:4444,server=on <-> [::1]:51982'],
  ])('%s is %s', async (endpoint, filename) => {
    const chardevs = [
      chardev('other', 'unix:/run/a.qmp2,server=on'),
      chardev('console', 'unix:/run/console,server=on'),
      chardev('ours', filename),
      chardev('log', 'file'),
    ];
    expect(await find(endpoint, { 'query-chardev': chardevs })).toEqual({ chardevs: ['ours'], objects: [] });
  });

  it('takes every connected socket for ours when none has the name', async () => {
    const chardevs = [
      chardev('qmp0', 'unix:a.qmp,server=on'),
      chardev('free', 'disconnected:unix:/run/b,server=on'),
      chardev('log', 'file'),
    ];
    expect(await find('unix:/run/a.qmp', { 'query-chardev': chardevs })).toMatchObject({ chardevs: ['qmp0'] });
  });

  it('passes over what no machine would list', async () => {
    const of = model(['query-chardev', 'qom-list', 'qom-get'], ['monitor-qmp']);
    const ours = chardev('ours', 'unix:/run/a.qmp,server=on');
    const chardevs = [null, 1, ['unix:/run/a.qmp'], { label: 1, filename: ours.filename }, ours];
    const odd = [{ label: 'x', filename: [ours.filename] }, ...chardevs];
    for (const listed of [null, {}, 'text', [null, { name: 1, type: 'child<monitor-qmp>' }]]) {
      const answers = { 'query-chardev': odd, 'qom-list {"path":"/objects"}': listed };
      expect(await find('unix:/run/a.qmp', answers, of)).toEqual({ chardevs: ['ours'], objects: [] });
    }
  });

  it('finds the monitor objects on it', async () => {
    const of = model(['query-chardev', 'qom-list', 'qom-get'], ['secret', 'monitor-qmp']);
    const chardevs = [chardev('ours', 'unix:/run/a.qmp,server=on')];
    const get = (name: string) => `qom-get {"path":"/objects/${name}","property":"chardev"}`;
    const found = find(
      'unix:/run/a.qmp',
      {
        'query-chardev': chardevs,
        'qom-list {"path":"/objects"}': [
          { name: 'm1', type: 'child<monitor-qmp>' },
          { name: 'm2', type: 'child<monitor-qmp>' },
          { name: 'm3', type: 'child<monitor-qmp>' },
          { name: 's1', type: 'child<secret>' },
        ],
        [get('m1')]: 'ours',
        [get('m2')]: 'theirs',
      },
      of,
    );
    // m3 does not say which it is on.
    expect((await found).objects).toEqual(['m1', 'm3']);
  });

  it('knows the multiplexer that its monitor is on', async () => {
    // As QEMU 11.1 lists a monitor with mux=on, and the console of another chardev with it.
    const chardevs = [
      ...[chardev('qmp0', 'mux'), chardev('qmp0-base', 'unix:/run/a.qmp,server=on')],
      ...[chardev('serial0', 'mux'), chardev('serial0-base', 'unix:/run/serial,server=on')],
    ];
    const of = model(['query-chardev', 'qom-list', 'qom-get'], ['monitor-qmp']);
    const answers = {
      'query-chardev': chardevs,
      'qom-list {"path":"/objects"}': ['mon0', 'mon1'].map((name) => ({ name, type: 'child<monitor-qmp>' })),
      'qom-get {"path":"/objects/mon0","property":"chardev"}': 'qmp0',
      'qom-get {"path":"/objects/mon1","property":"chardev"}': 'qmp1',
    };
    const found = { chardevs: ['qmp0-base', 'qmp0'], objects: ['mon0'] };
    expect(await find('unix:/run/a.qmp', answers, of)).toEqual(found);
    // Of one made by itself nothing tells what is below.
    const made = [chardev('ours', 'unix:/run/a.qmp,server=on'), chardev('m', 'mux'), chardev('h', 'hub')];
    expect(await find('unix:/run/a.qmp', { 'query-chardev': made })).toMatchObject({ chardevs: ['ours', 'm', 'h'] });
  });

  it('takes every monitor object for ours when none says that it is', async () => {
    const of = model(['query-chardev', 'qom-list', 'qom-get'], ['monitor-qmp']);
    const answers = {
      'query-chardev': [chardev('ours', 'unix:/run/a.qmp,server=on')],
      'qom-list {"path":"/objects"}': ['mon0', 'mon1'].map((name) => ({ name, type: 'child<monitor-qmp>' })),
      // Somebody wrote to it: QEMU 11.1 takes any text.
      'qom-get {"path":"/objects/mon0","property":"chardev"}': 'nonsense',
      'qom-get {"path":"/objects/mon1","property":"chardev"}': 'qmp1',
    };
    expect(await find('unix:/run/a.qmp', answers, of)).toMatchObject({ objects: ['mon0', 'mon1'] });
  });

  it('knows none where the VM has no such query or does not answer it', async () => {
    expect(await find('unix:/a', {}, model([]))).toEqual({ chardevs: [], objects: [] });
    expect(await find('unix:/a', {})).toEqual({ chardevs: [], objects: [] });
  });
});

describe('aimsAtOwnMonitor', () => {
  const own = { chardevs: ['qmp0'], objects: ['mon0'] };

  it.each([
    ['chardev-remove', '{"id":"qmp0"}', 'qmp0'],
    ['chardev-change', '{"backend":{"type":"null","data":{}},"\\u0069d":"qmp0"}', 'qmp0'],
    ['object-del', '{"id":"mon0"}', 'mon0'],
    ['yank', '{"instances":[{"type":"migration"},{"type":"chardev","id":"x"},{"id":"qmp0","type":"chardev"}]}', 'qmp0'],
    ['chardev-remove', '{"id":"qmp1"}', undefined],
    ['object-del', '{"id":"qmp0"}', undefined],
    ['yank', '{"instances":[{"type":"block-node","node-name":"qmp0"}]}', undefined],
    ['yank', '{"instances":"qmp0"}', undefined],
    ['query-chardev', '{"id":"qmp0"}', undefined],
    ['human-monitor-command', '{"command-line":"chardev-remove qmp0"}', 'qmp0'],
    ['human-monitor-command', '{"command-line":" \\tchardev-remove  \\"qmp0\\""}', 'qmp0'],
    ['human-monitor-command', '{"command-line":"chardev-change\\nqmp0 null"}', 'qmp0'],
    ['human-monitor-command', '{"command\\u002dline":"\\u0063hardev-change qmp0 null"}', 'qmp0'],
    ['human-monitor-command', '{"command-line":"object_del mon0"}', 'mon0'],
    ['human-monitor-command', '{"command-line":"chardev-remove qmp01"}', undefined],
    ['human-monitor-command', '{"command-line":"object_del qmp0"}', undefined],
    ['human-monitor-command', '{"command-line":"info chardev qmp0"}', undefined],
    ['human-monitor-command', '{"command-line":"chardev-remove"}', undefined],
    ['human-monitor-command', '{"command-line":5}', undefined],
    ...['/objects/mon0', '//objects///mon0/', 'mon0', 'mon0/', 'objects/mon0', 'objects//mon0'].flatMap((path) => [
      ['qom-set', JSON.stringify({ path, property: 'pretty', value: true }), 'mon0'],
      ['human-monitor-command', JSON.stringify({ 'command-line': `qom-set ${path} pretty true` }), 'mon0'],
    ]),
    ['qom-set', '{"path":"/chardevs/qmp0"}', 'qmp0'],
    ['qom-set', '{"path":"/objects/qmp0"}', undefined],
    ['qom-set', '{"path":"/mon0"}', undefined],
    ['qom-set', '{"path":"/machine/mon0"}', undefined],
    ['qom-set', '{"path":"/"}', undefined],
    ['qom-get', '{"path":"/objects/mon0","property":"pretty"}', undefined],
    ['human-monitor-command', '{"command-line":"qom-get mon0 pretty"}', undefined],
    ['human-monitor-command', '{"command-line":"qom-set \\"mon0"}', undefined],
    ['human-monitor-command', `{"command-line":"qom-set ${'x'.repeat(1001)}"}`, 'x'.repeat(64)],
  ] as [string, string, string | undefined][])('%s %s: %s', (command, args, target) => {
    expect(aimsAtOwnMonitor(command, readJson(args).root, own)).toBe(target);
  });

  it('is nothing without arguments', () => {
    expect(aimsAtOwnMonitor('chardev-remove', undefined, own)).toBeUndefined();
  });
});

describe('pathToAskAbout', () => {
  const own = { chardevs: ['qmp0'], objects: ['mon0'] };
  const none = { chardevs: [], objects: [] };

  it.each([
    ['qom-set', '{"path":"/machine/console"}', own, '/machine/console'],
    ['qom-set', '{"path":"io0"}', own, 'io0'],
    ['qom-set', '{"path":"objects/io0"}', own, 'objects/io0'],
    ['qom-set', '{"path":"/objects/a/b"}', own, '/objects/a/b'],
    ['qom-set', '{"path":"/objects/io0"}', own, undefined],
    ['qom-set', '{"path":"/objects/io0"}', { chardevs: ['qmp0'], objects: [] }, '/objects/io0'],
    ['qom-set', '{"path":"/machine"}', none, undefined],
    ['qom-set', '{"path":1}', own, undefined],
    ['qom-get', '{"path":"io0"}', own, undefined],
    ['human-monitor-command', '{"command-line":"qom-set -j \\"/machine/a\\"x 1"}', own, '/machine/a'],
    ['human-monitor-command', '{"command-line":"info status"}', own, undefined],
  ])('%s %s with %j: %s', (command, args, of, path) => {
    expect(pathToAskAbout(command, readJson(args).root, of)).toBe(path);
  });

  it('leads to ours when the type is one of a connection, or none', () => {
    expect(['monitor-qmp', 'monitor', 'chardev-socket', undefined].every(mayBeOwnMonitor)).toBe(true);
    expect(['monitored-device', 'iothread', 'container', ''].some(mayBeOwnMonitor)).toBe(false);
  });
});
