import { describe, expect, it } from 'vitest';
import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { classifyByName, classifyCommand, commandClassesFromSettings } from './index.js';

function json(value: unknown): JsonNode {
  return readJson(typeof value === 'string' ? value : JSON.stringify(value)).root;
}

describe('commandClassesFromSettings', () => {
  it('sets the class of commands no table knows, and may raise the others', () => {
    const { classes, faults } = commandClassesFromSettings({
      '__com.example_query-x': 'read',
      'query-block': 'operate',
    });
    expect(faults).toEqual([]);
    expect(classifyByName('qemu', '__com.example_query-x', classes)).toMatchObject({ class: 'read', rule: 'settings' });
    expect(classifyCommand({ kind: 'qemu' }, 'query-block', json({}), classes)).toMatchObject({
      class: 'operate',
      rule: 'settings',
    });
    expect(classifyCommand({ kind: 'qemu' }, 'query-name', json({}), classes)).toMatchObject({
      class: 'read',
      rule: 'base',
    });
  });

  it('never lowers, by name or by arguments', () => {
    const { classes, faults } = commandClassesFromSettings({ migrate: 'read', transaction: 'host' });
    expect(faults).toEqual([
      { command: 'migrate', message: expect.stringContaining('may not be lowered: it is host') },
    ]);
    expect(classifyByName('qemu', 'migrate', classes).class).toBe('host');
    expect(classifyCommand({ kind: 'qemu' }, 'migrate', json({}), new Map([['migrate', 'read']])).class).toBe('host');
  });

  it('keeps a class that was raised from being lowered by arguments', () => {
    const { classes } = commandClassesFromSettings({ 'query-named-block-nodes': 'host' });
    expect(classifyCommand({ kind: 'qemu' }, 'query-named-block-nodes', json({ flat: true }), classes).class).toBe(
      'host',
    );
  });

  it.each([7, null, 'root', 'HOST', ['read']])('refuses %j as a class', (value) => {
    expect(commandClassesFromSettings({ x: value }).faults).toEqual([
      { command: 'x', message: 'must be one of read, operate, configure, host' },
    ]);
  });
});
