import { describe, expect, it } from 'vitest';
import { commandKnowledge, completionKinds, completionOf, isKnownCommand, type ServerKind } from './index.js';
import { readTable } from './data-file.js';

const rows = readTable('completions.tsv', ['kind', 'command', 'completion', 'deadline', 'reason']);

describe('the table of completions', () => {
  it.each(rows)('names a command there is: $kind $command', ({ kind, command }) => {
    expect(isKnownCommand(kind as ServerKind, command)).toBe(true);
  });

  it('has no kind of completion that no command uses', () => {
    expect(new Set(rows.map(({ completion }) => completion))).toEqual(new Set(completionKinds));
  });

  it('gives a deadline to what a guest may ignore, none to what ends by itself', () => {
    expect(completionOf('qemu', 'device_del')).toEqual({ kind: 'unplug', deadlineMs: 25_000 });
    expect(completionOf('qemu', 'system_powerdown')).toEqual({ kind: 'powerdown', deadlineMs: 120_000 });
    expect(completionOf('qemu', 'blockdev-mirror')).toEqual({ kind: 'job', deadlineMs: null });
    expect(completionOf('qemu', 'migrate')).toEqual({ kind: 'migration', deadlineMs: null });
  });

  it('is part of what is known of a command, and the storage daemon shares it', () => {
    expect(commandKnowledge('storage-daemon', 'blockdev-create').completion?.kind).toBe('job');
    expect(commandKnowledge('qemu', 'query-status').completion).toBeUndefined();
    expect(completionOf('guest-agent', 'stop')).toBeUndefined();
  });
});
