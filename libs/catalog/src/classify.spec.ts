import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { lowerings, raisings, transactionActions } from './argument-rules.js';
import {
  classifyByName,
  classifyCommand,
  classRange,
  commandKnowledge,
  compareClasses,
  isKnownCommand,
  knownCommands,
  type Ruling,
  type ServerKind,
} from './index.js';

function json(value: unknown): JsonNode {
  return readJson(typeof value === 'string' ? value : JSON.stringify(value)).root;
}

function ruling(command: string, args: unknown, kind: ServerKind = 'qemu'): Ruling {
  return classifyCommand({ kind }, command, json(args));
}

const exec = { transport: 'exec', args: ['/bin/sh', '-c', 'id'] };

const bitmap = { type: 'block-dirty-bitmap-add', data: { node: 'n', name: 'b' } };

const snapshot = { type: 'blockdev-snapshot-sync', data: { 'node-name': 'n', 'snapshot-file': '/etc/x' } };

describe('what reaches the host needs host', () => {
  it.each<[string, string, unknown, string]>([
    ['exec: in a URI', 'migrate', { uri: 'exec:id > /tmp/x' }, 'migrate:exec'],
    ['exec in channels', 'migrate', { channels: [{ 'channel-type': 'main', addr: exec }] }, 'migrate:exec'],
    ['exec coming in', 'migrate-incoming', { channels: [{ 'channel-type': 'main', addr: exec }] }, 'migrate:exec'],
    ['exec to recover', 'migrate-recover', { uri: 'exec:cat' }, 'migrate:exec'],
    ['a migration file', 'migrate', { uri: 'file:/tmp/ram' }, 'migrate:file'],
    ['a migration to a socket', 'migrate', { uri: 'tcp:192.0.2.1:4444' }, 'base'],
    [
      'a program as migration parameter',
      'migrate-set-parameters',
      { mode: 'cpr-exec', 'cpr-exec-command': ['sh'] },
      'migrate-set-parameters:cpr-exec-command',
    ],
    ['a ROM file', 'device_add', { driver: 'e1000', romfile: '/etc/passwd' }, 'device_add:romfile'],
    ['a host PCI device', 'device_add', { driver: 'vfio-pci', host: '0000:01:00.0' }, 'device_add:driver'],
    ['a host USB device', 'device_add', { driver: 'usb-host', hostbus: '1' }, 'device_add:driver'],
    ['USB traffic to a file', 'device_add', { driver: 'usb-storage', drive: 'd', pcap: '/tmp/x' }, 'device_add:driver'],
    ['a property nobody listed', 'device_add', { driver: 'virtio-net-pci', 'x-new': 1 }, 'device_add:driver'],
    ['a nested property', 'device_add', { driver: 'virtio-net-pci', mac: { a: 1 } }, 'device_add:driver'],
    ['a device without driver', 'device_add', { id: 'x' }, 'device_add:driver'],
    ['SCSI passthrough', 'device_add', { driver: 'virtio-blk-pci', drive: 'd', scsi: true }, 'device_add:driver'],
    ['a tap script', 'netdev_add', { type: 'tap', id: 'n', script: '/tmp/x' }, 'netdev_add:type'],
    ['user networking', 'netdev_add', { type: 'user', id: 'n' }, 'netdev_add:type'],
    ['user networking, not restricted', 'netdev_add', { type: 'user', id: 'n', restrict: false }, 'netdev_add:type'],
    [
      'a program behind guestfwd',
      'netdev_add',
      { type: 'user', id: 'n', restrict: true, guestfwd: [{ str: 'tcp:10.0.2.9:1-cmd:sh' }] },
      'netdev_add:type',
    ],
    [
      'a memory file',
      'object-add',
      { 'qom-type': 'memory-backend-file', id: 'm', size: 4096, 'mem-path': '/x' },
      'object-add:qom-type',
    ],
    ['a secret file', 'object-add', { 'qom-type': 'secret', id: 's', file: '/etc/shadow' }, 'object-add:file'],
    [
      'a capture file',
      'object-add',
      { 'qom-type': 'filter-dump', id: 'f', netdev: 'n', file: '/tmp/x' },
      'object-add:file',
    ],
    [
      'properties of the old form',
      'object-add',
      { 'qom-type': 'iothread', id: 'i', props: { a: 1 } },
      'object-add:qom-type',
    ],
    [
      'the host keyboard',
      'object-add',
      { 'qom-type': 'input-linux', id: 'k', evdev: '/dev/input/event0' },
      'object-add:qom-type',
    ],
    ['a new monitor', 'object-add', { 'qom-type': 'monitor-qmp', id: 'm', chardev: 'c' }, 'object-add:qom-type'],
    ['qtest', 'object-add', { 'qom-type': 'qtest', id: 'q', chardev: 'c' }, 'object-add:qom-type'],
    [
      'a character file',
      'chardev-add',
      { id: 'c', backend: { type: 'file', data: { out: '/tmp/x' } } },
      'chardev-add:type',
    ],
    [
      'a log file',
      'chardev-add',
      { id: 'c', backend: { type: 'null', data: { logfile: '/tmp/x' } } },
      'chardev-add:logfile',
    ],
    ['a socket', 'chardev-change', { id: 'c', backend: { type: 'socket', data: {} } }, 'chardev-add:type'],
    [
      'an image file',
      'blockdev-add',
      { driver: 'file', 'node-name': 'n', filename: '/etc/passwd' },
      'blockdev-add:driver',
    ],
    ['a host directory', 'blockdev-add', { driver: 'vvfat', 'node-name': 'n', dir: '/etc' }, 'blockdev-add:driver'],
    [
      'a format that names files',
      'blockdev-add',
      { driver: 'qcow2', 'node-name': 'n', file: 'open' },
      'blockdev-add:driver',
    ],
    [
      'a file inside a filter',
      'blockdev-add',
      { driver: 'raw', file: { driver: 'file', filename: '/x' } },
      'blockdev-add:driver',
    ],
    [
      'a URL inside a quorum',
      'blockdev-add',
      { driver: 'quorum', children: ['a', { driver: 'nbd', server: {} }] },
      'blockdev-add:driver',
    ],
    ['the old form', 'blockdev-add', { options: { driver: 'null-co' } }, 'blockdev-add:driver'],
    ['a backing file written', 'block-stream', { device: 'd', 'backing-file': 'x' }, 'block-job:backing-file'],
    ['a path as base', 'block-commit', { device: 'd', base: '/var/x.qcow2' }, 'block-job:file-name'],
    ['a json: pseudo-file', 'block-commit', { device: 'd', top: 'json:{"driver":"nbd"}' }, 'block-job:file-name'],
    ['a URL', 'block-stream', { device: 'd', base: 'nbd://192.0.2.1/x' }, 'block-job:file-name'],
    [
      'a human monitor command',
      'human-monitor-command',
      { 'command-line': 'gdbserver unix:/x' },
      'human-monitor-command:info',
    ],
    [
      'an info command with more',
      'human-monitor-command',
      { 'command-line': 'info status; quit' },
      'human-monitor-command:info',
    ],
    [
      'info with a leading space',
      'human-monitor-command',
      { 'command-line': ' info status' },
      'human-monitor-command:info',
    ],
    [
      'a snapshot file in a transaction',
      'transaction',
      { actions: [bitmap, snapshot] },
      'transaction:blockdev-snapshot-sync',
    ],
    [
      'an unknown action',
      'transaction',
      { actions: [bitmap, { type: 'run', data: {} }] },
      'transaction:unknown-action',
    ],
    ['an action that is no object', 'transaction', { actions: ['abort'] }, 'transaction:unknown-action'],
    [
      'a nested transaction',
      'transaction',
      { actions: [{ type: 'transaction', data: { actions: [] } }] },
      'transaction:unknown-action',
    ],
    ['actions that are no list', 'transaction', { actions: bitmap }, 'base'],
    ['qom-set', 'qom-set', { path: '/x', property: 'y', value: 1 }, 'base'],
    ['a screendump', 'screendump', { filename: '/tmp/x' }, 'base'],
  ])('%s', (_title, command, args, rule) => {
    expect(ruling(command, args)).toMatchObject({ class: 'host', rule });
  });

  it('reads keys as decoded, so escapes hide nothing', () => {
    expect(ruling('device_add', String.raw`{"driver":"e1000","rom\u0066ile":"/etc/passwd"}`).class).toBe('host');
    expect(ruling('block-stream', String.raw`{"device":"d","\u0062acking-file":"x"}`).class).toBe('host');
  });

  it('raises reads that were seen to end QEMU, in the releases that they end', () => {
    const of = (typename: string, version?: string, kind: ServerKind = 'qemu') =>
      ['device-list-properties', 'qom-list-properties'].map(
        (command) => classifyCommand({ kind, version }, command, json({ typename })).class,
      );
    const [raised, kept] = [
      ['configure', 'configure'],
      ['read', 'read'],
    ];
    for (const typename of ['virtio-vga-gl', 'virtio-gpu-gl-pci', 'x-remote-object']) {
      expect(ruling('device-list-properties', { typename })).toMatchObject({ rule: 'list-properties:fatal-type' });
      for (const version of [undefined, '7.2.22', '11.1.0']) expect(of(typename, version), typename).toEqual(raised);
    }
    for (const typename of ['microvm-machine', 'colo-compare', 'qio-net-listener'])
      expect([of(typename, '5.2.0'), of(typename, '7.2.22'), of(typename, '11.1.0')]).toEqual([raised, raised, kept]);
    expect(of('qio-net-listener', '7.2.22', 'storage-daemon')).toEqual(raised);
    for (const typename of ['chardev-wctablet', 'chardev-msmouse'])
      expect([of(typename, '5.2.0'), of(typename, '7.2.22')]).toEqual([raised, kept]);
    expect([of('max-x86_64-cpu', '7.2.22'), of('max-x86_64-cpu', '11.1.0')]).toEqual([kept, raised]);
    expect([of('virtio-gpu-pci'), of('virtio-gpu-pci', '7.2.22'), of('virtio-gpu-pci', 'odd')]).toEqual([
      kept,
      kept,
      kept,
    ]);
    // A release that can't be read may be any.
    for (const typename of ['colo-compare', 'chardev-msmouse', 'max-x86_64-cpu'])
      expect(of(typename, 'odd')).toEqual(raised);
  });

  it('raises a command of one kind and release by its name, without arguments too', () => {
    const fatal = { class: 'configure', rule: 'query-events:fatal' };
    for (const args of [undefined, json({})])
      expect(classifyCommand({ kind: 'storage-daemon', version: '5.2.0' }, 'query-events', args)).toMatchObject(fatal);
    expect(classifyByName('storage-daemon', 'query-events', undefined, '5.2.0')).toMatchObject(fatal);
    expect(classRange('storage-daemon', 'query-events', undefined, '5.2.0')).toMatchObject({
      lowest: fatal,
      highest: fatal,
    });
    expect(classifyByName('qemu', 'query-acpi-ospm-status', undefined, '5.2.0').class).toBe('configure');
    expect(classifyByName('qemu', 'query-acpi-ospm-status', undefined, '7.2.22').class).toBe('read');
    const jit = json({ 'command-line': 'info jit' });
    expect(classifyCommand({ kind: 'qemu', version: '5.2.0' }, 'human-monitor-command', jit).class).toBe('host');
    expect(classifyCommand({ kind: 'qemu', version: '7.2.22' }, 'human-monitor-command', jit).class).toBe('read');
    expect(classifyByName('qemu', 'query-events', undefined, '5.2.0').class).toBe('read');
    expect(classifyByName('storage-daemon', 'query-events', undefined, '7.2.0').class).toBe('read');
    expect(classifyByName('storage-daemon', 'query-events', undefined, 'odd').class).toBe('configure');
    const settings = new Map([['query-events', 'host']] as const);
    expect(classifyByName('storage-daemon', 'query-events', settings, '5.2.0').rule).toBe('settings');
    expect(
      classifyByName('storage-daemon', 'query-events', new Map([['query-events', 'operate']]), '5.2.0'),
    ).toMatchObject(fatal);
  });

  it('names the argument that is not listed, when it is a name', () => {
    expect(ruling('device_add', { driver: 'e1000', evil: '/x' }).reason).toContain("'evil' is not on the list");
    expect(ruling('device_add', { driver: 'e1000', 'a\nb': '/x' }).reason).toContain('these arguments are not');
  });
});

describe('what stays inside the VM needs less', () => {
  it.each<[string, unknown, string, string]>([
    [
      'device_add',
      { driver: 'virtio-rng-pci', id: 'r', 'max-bytes': 1024, period: 1000 },
      'configure',
      'device_add:driver',
    ],
    [
      'device_add',
      { driver: 'virtio-blk-pci', drive: 'n', serial: 'x', bootindex: 1 },
      'configure',
      'device_add:driver',
    ],
    [
      'device_add',
      { driver: 'host-x86_64-cpu', 'socket-id': 1, 'core-id': 0, 'thread-id': 0 },
      'configure',
      'device_add:driver',
    ],
    ['netdev_add', { type: 'hubport', id: 'n', hubid: 0 }, 'configure', 'netdev_add:type'],
    ['netdev_add', { type: 'user', id: 'n', restrict: true }, 'configure', 'netdev_add:type'],
    ['object-add', { 'qom-type': 'iothread', id: 'i', 'poll-max-ns': 0 }, 'configure', 'object-add:qom-type'],
    ['object-add', { 'qom-type': 'secret', id: 's', data: 'x' }, 'configure', 'object-add:qom-type'],
    [
      'object-add',
      { 'qom-type': 'memory-backend-ram', id: 'm', size: 1, 'host-nodes': [0] },
      'configure',
      'object-add:qom-type',
    ],
    [
      'object-add',
      { 'qom-type': 'throttle-group', id: 't', limits: { 'iops-total': 5 } },
      'configure',
      'object-add:qom-type',
    ],
    ['chardev-add', { id: 'c', backend: { type: 'ringbuf', data: { size: 64 } } }, 'configure', 'chardev-add:type'],
    ['blockdev-add', { driver: 'null-co', 'node-name': 'n', size: 512 }, 'configure', 'blockdev-add:driver'],
    [
      'blockdev-add',
      { driver: 'raw', file: { driver: 'throttle', file: 'n', 'throttle-group': 't' } },
      'configure',
      'blockdev-add:driver',
    ],
    ['transaction', { actions: [bitmap, { type: 'abort', data: {} }] }, 'configure', 'transaction'],
    ['transaction', { actions: [] }, 'configure', 'transaction'],
    ['human-monitor-command', { 'command-line': 'info block' }, 'read', 'human-monitor-command:info'],
    [
      'human-monitor-command',
      { 'command-line': 'info registers', 'cpu-index': 0 },
      'read',
      'human-monitor-command:info',
    ],
    ['block-commit', { device: 'd', 'base-node': 'b' }, 'configure', 'base'],
    ['block-commit', { device: 'd', base: 'base.qcow2' }, 'configure', 'base'],
    ['migrate-set-parameters', { 'max-bandwidth': 1 }, 'configure', 'base'],
  ])('%s %j is %s', (command, args, commandClass, rule) => {
    expect(ruling(command, args)).toMatchObject({ class: commandClass, rule });
  });

  it('holds for the storage daemon as for QEMU', () => {
    expect(ruling('blockdev-add', { driver: 'null-co' }, 'storage-daemon').class).toBe('configure');
    expect(ruling('transaction', { actions: [snapshot] }, 'storage-daemon').class).toBe('host');
  });

  it('guards StratoVirt against commas that would inject options', () => {
    const device = { driver: 'virtio-net-pci', id: 'n', netdev: 'n', mac: '52:54:00:00:00:01' };
    expect(ruling('device_add', device, 'stratovirt').class).toBe('configure');
    expect(ruling('device_add', { ...device, mac: 'x,romfile=/etc/passwd' }, 'stratovirt').class).toBe('host');
    expect(ruling('device_add', { ...device, serial: 'x\u0007' }, 'stratovirt').class).toBe('host');
    expect(ruling('device_add', { ...device, 'num-queues': '1,host=0' }, 'stratovirt').class).toBe('host');
    expect(ruling('device_add', { ...device, host: '0000:01:00.0' }, 'stratovirt').class).toBe('host');
    expect(ruling('human-monitor-command', { 'command-line': 'info snapshots' }, 'stratovirt').class).toBe('read');
    expect(ruling('human-monitor-command', { 'command-line': 'info block' }, 'stratovirt').class).toBe('host');
  });
});

describe('classifyCommand', () => {
  const lowered = new Set(['transaction', ...lowerings.flatMap(({ commands }) => commands)]);
  const kinds: readonly ServerKind[] = ['qemu', 'storage-daemon', 'guest-agent', 'stratovirt'];
  const anyCommand = fc
    .constantFrom(...kinds)
    .chain((kind) => fc.tuple(fc.constant(kind), fc.oneof(fc.constantFrom(...knownCommands(kind)), fc.string())));
  const names = fc.constantFrom(
    'type',
    'driver',
    'qom-type',
    'id',
    'uri',
    'actions',
    'data',
    'backend',
    'file',
    'base',
  );
  const values = fc.constantFrom('exec:x', '/etc/passwd', 'null-co', 'iothread', 'hubport', 'json:{}', 'info status');
  const anyArguments = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, values, fc.integer(), fc.boolean(), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(fc.oneof(names, fc.string()), tie('value'), { maxKeys: 5 }),
  })).object;

  it('never comes out below the table but where a lowering is listed', () => {
    fc.assert(
      fc.property(anyCommand, anyArguments, ([kind, command], args) => {
        const base = commandKnowledge(kind, command).class;
        const result = classifyCommand({ kind }, command, json(JSON.stringify(args)));
        if (compareClasses(result.class, base) < 0) {
          expect(lowered.has(command)).toBe(true);
          expect(result.rule).not.toBe('base');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('takes what nobody described for host, whatever its arguments', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.string(), anyArguments, (kind, command, args) => {
        fc.pre(!isKnownCommand(kind, command));
        expect(classifyCommand({ kind }, command, json(JSON.stringify(args)))).toMatchObject({
          class: 'host',
          rule: 'base',
        });
      }),
    );
  });

  it('goes by name without arguments', () => {
    expect(classifyCommand({ kind: 'qemu' }, 'device_add', undefined)).toEqual(classifyByName('qemu', 'device_add'));
    expect(classifyCommand({ kind: 'qemu' }, 'query-status', undefined)).toMatchObject({ class: 'read', rule: 'base' });
  });

  it('has rules for commands that exist, each with a reason, one lowering a command', () => {
    for (const { family, commands, reason } of lowerings) {
      expect(reason).not.toBe('');
      for (const command of commands) expect(isKnownCommand(family, command), command).toBe(true);
    }
    for (const { commands, reason, member, value } of raisings) {
      expect(reason).not.toBe('');
      // By name alone there is no value to look at.
      if (member.length === 0) expect(value).toBeUndefined();
      for (const command of commands) expect(isKnownCommand('qemu', command), command).toBe(true);
    }
    for (const action of transactionActions) expect(isKnownCommand('qemu', action), action).toBe(true);
    const keys = lowerings.flatMap(({ family, commands }) => commands.map((command) => `${family} ${command}`));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
