import { describe, expect, it } from 'vitest';
import { isKnownCommand, loadBundledCatalog, meantCommands, meantKey, type ServerKind } from './index.js';
import { readTable } from './data-file.js';

const of = async (file: string, kind: ServerKind, word: string): Promise<string[]> => {
  const { model } = await loadBundledCatalog({ file });
  return meantCommands(kind, word, (command) => model.commands.has(command));
};

describe('meantCommands', () => {
  it.each([
    ['pause', ['stop']],
    ['resume', ['cont']],
    ['start', ['cont']],
    ['shutdown', ['system_powerdown', 'quit']],
    ['PowerOff', ['system_powerdown', 'quit']],
    ['reset', ['system_reset']],
    ['reboot', ['system_reset']],
    ['kill', ['quit']],
    ['status', ['query-status']],
    ['info', ['query-status', 'query-version', 'query-name']],
    ['info block', ['query-block']],
    ['info_cpus', ['query-cpus-fast']],
    ['info status', ['query-status']],
    ['block', ['query-block']],
    ['query-cpus', ['query-cpus-fast']],
    ['info balloon', ['query-balloon']],
    ['savevm', ['snapshot-save']],
    ['screenshot', ['screendump']],
    ['drive_add', ['blockdev-add']],
    ['frobnicate', []],
    ['info', ['query-status', 'query-version', 'query-name']],
    ['__proto__', []],
  ])('%s of QEMU: %j', async (word, commands) => {
    expect(await of('qemu-10.2.json', 'qemu', word)).toEqual(commands);
  });

  it('names commands of the server in hand only', async () => {
    expect(await of('qemu-storage-daemon-10.2.json', 'storage-daemon', 'pause')).toEqual([]);
    expect(await of('qemu-storage-daemon-10.2.json', 'storage-daemon', 'kill')).toEqual(['quit']);
    expect(await of('stratovirt-2.5.json', 'stratovirt', 'memory')).toEqual(['query-mem']);
    expect(await of('qemu-ga-10.2.json', 'guest-agent', 'reboot')).toEqual(['guest-shutdown']);
    expect(await of('qemu-ga-10.2.json', 'guest-agent', 'exec')).toEqual(['guest-exec']);
    expect(await of('qemu-ga-10.2.json', 'guest-agent', 'users')).toEqual(['guest-get-users']);
    expect(meantCommands('qemu', 'pause', () => false)).toEqual([]);
  });

  it('has words for commands that exist, none of them twice, and none that is a command itself', () => {
    const rows = readTable('words.tsv', ['kind', 'word', 'commands']);
    expect(new Set(rows.map(({ kind, word }) => `${kind} ${word}`)).size).toBe(rows.length);
    for (const { kind, word, commands } of rows) {
      expect(word).toMatch(/^[a-z0-9-]+$/);
      for (const command of commands.split(' '))
        expect(isKnownCommand(kind as ServerKind, command), command).toBe(true);
    }
  });
});

describe('meantKey', () => {
  it.each([
    ['del', 'delete'],
    ['Del', 'delete'],
    ['Enter', 'ret'],
    ['Page Up', 'pgup'],
    ['page_up', 'pgup'],
    ['ArrowLeft', 'left'],
    ['win', 'meta_l'],
    ['/', 'slash'],
    ['frob', undefined],
    ['__proto__', undefined],
  ])('%s: %s', (name, key) => {
    expect(meantKey(name)).toBe(key);
  });

  it("leads to QEMU's own names, and is not asked about those", async () => {
    const { model } = await loadBundledCatalog({ file: 'qemu-10.2.json' });
    const type = model.types.get('QKeyCode');
    const codes = new Set(type?.kind === 'enum' ? type.values.map(({ name }) => name) : []);
    const rows = readTable('key-names.tsv', ['name', 'key']);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const { name, key } of rows) expect([name, codes.has(key), codes.has(name)]).toEqual([name, true, false]);
  });
});
