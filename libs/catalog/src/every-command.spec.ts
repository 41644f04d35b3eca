import { describe, expect, it } from 'vitest';
import { readJson, validateArguments, type Command, type QapiType } from '@qmp-gateway/qapi';
import {
  bundledCatalogs,
  commandKnowledge,
  commandsWithExamples,
  eventSummary,
  exampleOf,
  isKnownCommand,
  knownCommands,
  loadBundledCatalog,
  notOffered,
  type ServerKind,
} from './index.js';

const catalogs = await Promise.all(bundledCatalogs().map(loadBundledCatalog));
const named = catalogs.map((catalog) => ({ title: `${catalog.meta.name} ${catalog.meta.version}`, catalog }));

describe.each(named)('$title', ({ catalog: { meta, model } }) => {
  it('has a class with its reason and a summary for every command', () => {
    for (const name of model.commands.keys()) {
      expect(isKnownCommand(meta.kind, name), name).toBe(true);
      const { summary, reason } = commandKnowledge(meta.kind, name);
      expect(reason, name).not.toBe('');
      expect(summary?.length, name).toBeGreaterThan(8);
      expect(summary?.length, name).toBeLessThanOrEqual(100);
    }
  });

  it('has a summary for every event', () => {
    for (const name of model.events.keys()) expect(eventSummary(meta.kind, name)?.length, name).toBeGreaterThan(8);
  });

  it('gives the commands whose schema says so open arguments', () => {
    for (const { name, gen } of model.commands.values()) {
      if (gen === false) expect(commandKnowledge(meta.kind, name, meta.version).openArguments, name).toBe(true);
      else if (meta.kind !== 'stratovirt') {
        expect(commandKnowledge(meta.kind, name, meta.version).openArguments, name).toBe(false);
      }
    }
  });
});

it('counts the commands and events of the releases', () => {
  const counts = Object.fromEntries(
    named.map(({ title, catalog: { model } }) => [title, [model.commands.size, model.events.size]]),
  );
  expect(counts).toMatchObject({
    'qemu 7.2.0': [220, 52],
    'qemu 10.2.2': [244, 57],
    'qemu-ga 7.2.0': [42, 0],
    'qemu-ga 10.2.2': [44, 0],
    'stratovirt 2.4.0': [62, 8],
    'stratovirt 2.5.0': [69, 11],
  });
});

describe('commandKnowledge', () => {
  it('takes a command nobody described for host, with open arguments', () => {
    const knowledge = commandKnowledge('qemu', 'x-from-the-future');
    expect(knowledge).toMatchObject({ class: 'host', openArguments: true, offered: true });
    expect(knowledge.reason).toContain('no catalog knows');
  });

  it.each(['toString', '__proto__', 'constructor', ''])('takes %j for unknown', (name) => {
    expect(commandKnowledge('qemu', name).class).toBe('host');
    expect(exampleOf('qemu', name)).toBeUndefined();
  });

  it.each([
    ['block_passwd', 'configure'],
    ['change', 'host'],
    ['cpu-add', 'configure'],
    ['migrate_set_speed', 'configure'],
    ['query-cpus', 'read'],
    ['query-events', 'read'],
    ['x-blockdev-del', 'configure'],
    ['x-query-rdma', 'read'],
  ] as const)('still knows %s, which is gone', (name, commandClass) => {
    expect(commandKnowledge('qemu', name).class).toBe(commandClass);
  });

  it('knows when arguments were open', () => {
    const open = (command: string, version?: string): boolean =>
      commandKnowledge('qemu', command, version).openArguments;
    expect([open('device_add'), open('device_add', '2.5.0'), open('device_add', '11.1.0')]).toEqual([true, true, true]);
    expect([open('object-add', '5.2.0'), open('object-add', '6.0.0'), open('object-add')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([open('netdev_add', '2.12.1'), open('netdev_add', '10.2.2')]).toEqual([true, false]);
    expect(open('object-add', 'something')).toBe(true);
    expect(commandKnowledge('storage-daemon', 'object-add', '5.2.0').openArguments).toBe(true);
  });

  it('gives deadlines of the table', () => {
    const defaults = [
      'query-name',
      'query-block',
      'stop',
      'device_add',
      'job-cancel',
      'blockdev-snapshot-internal-sync',
    ];
    expect(defaults.map((command) => commandKnowledge('qemu', command).deadline)).toEqual([
      { defaultMs: 10_000, ceilingMs: 60_000 },
      { defaultMs: 30_000, ceilingMs: 120_000 },
      { defaultMs: 30_000, ceilingMs: 120_000 },
      { defaultMs: 60_000, ceilingMs: 600_000 },
      { defaultMs: 60_000, ceilingMs: 600_000 },
      { defaultMs: 600_000, ceilingMs: 3_600_000 },
    ]);
    expect(commandKnowledge('qemu', 'quit').deadline.defaultMs).toBe(60_000);
  });

  it('offers all but what needs a file descriptor or belongs to the session', () => {
    expect(notOffered.filter(({ kind }) => kind === 'qemu').map(({ command }) => command)).toEqual([
      'qmp_capabilities',
      'getfd',
      'add-fd',
      'get-win32-socket',
      'add_client',
    ]);
    for (const { kind, command, reason } of notOffered)
      expect(commandKnowledge(kind, command).offered).toEqual({ reason });
    expect(commandKnowledge('qemu', 'stop').offered).toBe(true);
  });
});

describe('examples', () => {
  const newest: Record<Exclude<ServerKind, 'storage-daemon'>, string> = {
    qemu: 'qemu-10.2.json',
    'guest-agent': 'qemu-ga-10.2.json',
    stratovirt: 'stratovirt-2.5.json',
  };
  const cases = Object.entries(newest).flatMap(([kind, file]) =>
    commandsWithExamples(kind as ServerKind).map((command) => ({ kind: kind as ServerKind, file, command })),
  );

  it('are there for the fifty commands people use most', () => {
    expect(commandsWithExamples('qemu').length).toBeGreaterThanOrEqual(50);
  });

  it.each(cases)('$kind $command fits the schema both ways', async ({ kind, file, command }) => {
    const { model } = await loadBundledCatalog({ file });
    const described = model.commands.get(command)!;
    const example = exampleOf(kind, command)!;
    expect(faults(described, example.arguments)).toEqual([]);
    expect(faults(returning(described, described.returns), { returned: example.returns })).toEqual([]);
  });

  it('validates with teeth', async () => {
    const { model } = await loadBundledCatalog({ file: newest.qemu });
    expect(faults(model.commands.get('stop')!, { bogus: 1 })).toHaveLength(1);
  });
});

/** Replies are checked as the arguments of a made-up command whose one member is the reply. */
function returning(command: Command, returns: QapiType): Command {
  const members = [{ name: 'returned', type: returns, optional: false, features: [] }];
  return { ...command, gen: true, arguments: { kind: 'object', name: 'reply', members, features: [] } };
}

function faults(command: Command, value: unknown): readonly unknown[] {
  return validateArguments(command, readJson(JSON.stringify(value))).faults;
}

it('lists no command twice and none without a reason', () => {
  for (const kind of ['qemu', 'guest-agent', 'stratovirt'] as const) {
    const names = knownCommands(kind);
    expect(new Set(names).size).toBe(names.length);
  }
});
