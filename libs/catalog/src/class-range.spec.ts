import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { lowerings, raisings } from './argument-rules.js';
import {
  classifyByName,
  classifyCommand,
  classRange,
  commandClassesFromSettings,
  compareClasses,
  knownCommands,
  type ServerKind,
} from './index.js';

function json(value: unknown): JsonNode {
  return readJson(typeof value === 'string' ? value : JSON.stringify(value)).root;
}

describe('classRange', () => {
  const kinds: readonly ServerKind[] = ['qemu', 'storage-daemon', 'guest-agent', 'stratovirt'];
  const ends = (kind: ServerKind, command: string, settings?: Parameters<typeof classRange>[2]) => {
    const { lowest, highest } = classRange(kind, command, settings);
    return [lowest.class, highest.class];
  };

  it('is one class where arguments decide nothing', () => {
    expect(classRange('qemu', 'stop')).toMatchObject({ lowest: { class: 'operate', rule: 'base' }, byArguments: [] });
    expect(ends('qemu', 'stop')).toEqual(['operate', 'operate']);
    expect(ends('qemu', 'x-from-the-future')).toEqual(['host', 'host']);
  });

  it('tells how far arguments lower and raise', () => {
    expect(ends('qemu', 'device_add')).toEqual(['configure', 'host']);
    expect(ends('stratovirt', 'device_add')).toEqual(['configure', 'host']);
    expect(ends('qemu', 'transaction')).toEqual(['configure', 'host']);
    expect(ends('qemu', 'human-monitor-command')).toEqual(['read', 'host']);
    expect(ends('qemu', 'block-commit')).toEqual(['configure', 'host']);
    expect(ends('qemu', 'device-list-properties')).toEqual(['read', 'configure']);
    const { byArguments } = classRange('qemu', 'device_add');
    expect(byArguments.map(({ class: to, rule }) => [to, rule])).toEqual([
      ['host', 'device_add:romfile'],
      ['configure', 'device_add:driver'],
    ]);
  });

  it('starts from a class of the settings, which nothing lowers', () => {
    const settings = new Map([
      ['block-commit', 'host'],
      ['device-list-properties', 'operate'],
      ['x-from-the-future', 'read'],
    ] as const);
    expect(ends('qemu', 'block-commit', settings)).toEqual(['host', 'host']);
    expect(ends('qemu', 'device-list-properties', settings)).toEqual(['operate', 'configure']);
    expect(ends('qemu', 'x-from-the-future', settings)).toEqual(['read', 'read']);
  });

  /** Values that the rules look for, and some that fit the shapes of lowerings. */
  const leaves = fc.constantFrom<unknown>(
    ...[
      'exec:x',
      'exec',
      'file',
      'file:/x',
      '/etc/passwd',
      'json:{}',
      'x-remote-object',
      'any',
      'info status',
      'abort',
    ],
    ...['virtio-rng-pci', 'null-co', 'null', 'hubport', 'iothread', 'blockdev-backup', 'user', true, 1],
    ...[{}, [], { type: 'null', data: {} }, { type: 'file', data: {} }, [{ type: 'abort' }], [{ type: 'x' }]],
    [{ type: 'blockdev-snapshot-sync', data: { 'snapshot-file': '/x' } }],
    [{ type: 'block-dirty-bitmap-add', data: { node: 'n', name: 'b' } }],
    [{ addr: { transport: 'exec' } }],
  );
  const members = fc.constantFrom(
    ...new Set([
      ...raisings.flatMap(({ member }) => member.slice(0, 1)),
      ...['driver', 'type', 'qom-type', 'id', 'backend', 'actions', 'command-line', 'restrict', 'file', 'channels'],
    ]),
  );
  const changing = new Set(['transaction', ...[...lowerings, ...raisings].flatMap(({ commands }) => commands)]);
  const anyCommand = fc
    .constantFrom(...kinds)
    .chain((kind) =>
      fc.tuple(fc.constant(kind), fc.oneof(fc.constantFrom(...changing), fc.constantFrom(...knownCommands(kind)))),
    );
  const anySettings = fc.dictionary(
    fc.constantFrom(...changing, 'stop'),
    fc.constantFrom('read', 'operate', 'configure', 'host' as const),
    { maxKeys: 3 },
  );
  const anyVersion = fc.constantFrom(undefined, '2.12.0', '5.2.0', '7.2.22', '11.1.0', 'odd');

  it('holds the class of a command whatever its arguments, settings and release', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        ...[anyCommand, fc.dictionary(members, leaves, { maxKeys: 4 }), anySettings, anyVersion],
        ([kind, command], args, set, version) => {
          const settings = commandClassesFromSettings(set).classes;
          const result = classifyCommand({ kind, version }, command, json(args), settings);
          const { lowest, highest, byArguments } = classRange(kind, command, settings, version);
          expect(compareClasses(lowest.class, result.class)).toBeLessThanOrEqual(0);
          expect(compareClasses(result.class, highest.class)).toBeLessThanOrEqual(0);
          const base = classifyByName(kind, command, settings, version);
          if (result.class !== base.class) {
            seen.add(`${result.class} ${base.class}`);
            // What an action of a transaction brings is told by the class of the least and of the unknown action.
            if (command !== 'transaction') expect(byArguments.map(({ rule }) => rule)).toContain(result.rule);
          }
        },
      ),
      {
        numRuns: 5000,
        examples: [
          [['qemu', 'human-monitor-command'], { 'command-line': 'info status' }, {}, undefined],
          [['qemu', 'device_add'], { romfile: '/x' }, {}, undefined],
        ],
      },
    );
    // Arguments do change classes, down and up.
    expect(seen.size).toBeGreaterThan(1);
  });
});
