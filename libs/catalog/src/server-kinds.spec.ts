import { describe, expect, it } from 'vitest';
import { kindOfSchema, kindsSpeaking, machineKindOf, machineKinds, serverKindNames } from './server-kinds.js';

const schemaOf =
  (...commands: string[]) =>
  (command: string) =>
    commands.includes(command);

describe('the kind of a server', () => {
  it.each([
    ['qemu', 'auto', ['query-status', 'blockdev-add'], 'qemu'],
    ['qemu', 'auto', ['blockdev-add'], 'storage-daemon'],
    ['qemu', 'auto', [], 'storage-daemon'],
    ['qemu', 'qemu', ['blockdev-add'], 'storage-daemon'],
    ['qemu', 'storage-daemon', ['query-status'], 'storage-daemon'],
    ['qemu', 'stratovirt', ['query-status'], 'qemu'],
    ['stratovirt', 'auto', [], 'stratovirt'],
    ['stratovirt', 'qemu', ['query-status'], 'stratovirt'],
    ['guest-agent', 'auto', ['query-status'], undefined],
    ['another', 'auto', ['query-status'], undefined],
  ] as const)('with the dialect %s, defined as %s, that has %j, is %s', (dialect, wanted, commands, kind) => {
    expect(machineKindOf(dialect, wanted, schemaOf(...commands))).toBe(kind);
  });

  it.each([
    [['guest-ping', 'guest-info'], 'guest-agent'],
    [['blockdev-add', 'query-block'], 'storage-daemon'],
    [['blockdev-add', 'query-status'], 'qemu'],
    [['x'], 'qemu'],
  ])('that a schema with %j describes is %s', (commands, kind) => {
    expect(kindOfSchema(new Set(commands))).toBe(kind);
  });

  it('is one at the monitor of a VM, or the agent in its guest', () => {
    expect(serverKindNames.filter((kind) => !machineKinds.includes(kind as never))).toEqual(['guest-agent']);
    expect(kindsSpeaking('qemu')).toEqual(['qemu', 'storage-daemon']);
  });
});
