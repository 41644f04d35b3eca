import {
  classOrder,
  classifyCommand,
  commandKnowledge,
  compareClasses,
  knownCommands,
  type ClassSettings,
  type ServerKind,
} from '@qmp-gateway/catalog';
import { readJson } from '@qmp-gateway/qapi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';
import { noOwnMonitor, type OwnMonitor } from './own-monitor.js';
import { forbidden, Policy, type Decision } from './policy.js';
import { Principal, type Grant, type Level } from './principal.js';

const noSettings: ClassSettings = new Map();
const kinds: readonly ServerKind[] = ['qemu', 'storage-daemon', 'guest-agent', 'stratovirt'];

interface Case {
  readonly kind?: ServerKind;
  readonly args?: string;
  readonly grant?: Partial<Grant>;
  readonly hostCommands?: { readonly all?: boolean; readonly vm?: boolean };
  readonly classes?: ClassSettings;
  readonly ownMonitor?: OwnMonitor;
  readonly secretProperties?: ReadonlySet<string>;
}

function decide(level: Level, name: string, options: Case = {}): Decision {
  const {
    kind = 'qemu',
    args,
    grant = {},
    hostCommands = {},
    classes = noSettings,
    ownMonitor = noOwnMonitor,
    secretProperties = new Set<string>(),
  } = options;
  const policy = new Policy({ hostCommands: hostCommands.all ?? true }, classes);
  // Policy looks at nothing else of either.
  const schema = { origin: { kind } } as VmSchema;
  const command = { name, knowledge: commandKnowledge(kind, name) } as SchemaCommand;
  const definition = hostCommands.vm === undefined ? {} : { hostCommands: hostCommands.vm };
  const principal = new Principal('p', 'p', { level, vms: ['*'], ...grant });
  const root = args === undefined ? undefined : readJson(args).root;
  return policy.decide(principal, schema, command, root, { definition, ownMonitor, secretProperties });
}

describe.each(kinds)('every command of %s', (kind) => {
  const commands = [...knownCommands(kind), 'x-from-the-future'];

  it('is allowed from the level of its class up, with a reason either way', () => {
    for (const name of commands)
      for (const level of classOrder) {
        const decision = decide(level, name, { kind });
        const { class: needed } = classifyCommand(kind, name, undefined);
        expect([name, level, decision.allowed, decision.class]).toEqual([
          name,
          level,
          compareClasses(level, needed) >= 0,
          needed,
        ]);
        expect(decision.rule).not.toBe('');
        expect(decision.reason).not.toBe('');
      }
  });

  it('is out of reach of hostCommands: false when it is of class host, and only then', () => {
    for (const name of commands) {
      const isHost = classifyCommand(kind, name, undefined).class === 'host';
      expect(decide('host', name, { kind, hostCommands: { all: false } }).allowed, name).toBe(!isHost);
      expect(decide('host', name, { kind, hostCommands: { vm: false } }).allowed, name).toBe(!isHost);
      // The VM's own setting switches off what is on, never the other way round.
      expect(decide('host', name, { kind, hostCommands: { all: false, vm: true } }).allowed, name).toBe(!isHost);
    }
  });
});

describe('the commands of a grant', () => {
  it('deny wins over allow, and neither goes beyond the level', () => {
    const commands = { allow: ['query-*', 'stop', 'migrate'], deny: ['query-vnc*'] };
    const rules = ['query-status', 'query-vnc', 'stop', 'cont', 'migrate'].map((name) => {
      const { allowed, rule } = decide('operate', name, { grant: { commands } });
      return [name, allowed, allowed ? '' : rule];
    });
    expect(rules).toEqual([
      ['query-status', true, ''],
      ['query-vnc', false, 'grant:deny'],
      ['stop', true, ''],
      ['cont', false, 'grant:allow'],
      ['migrate', false, 'base'],
    ]);
  });
});

it('follows commandClasses, which arguments do not lower', () => {
  const classes: ClassSettings = new Map([
    ['human-monitor-command', 'host'],
    ['__com.example_query-x', 'read'],
  ]);
  expect(decide('read', '__com.example_query-x', { classes }).allowed).toBe(true);
  expect(decide('read', '__com.example_query-x').allowed).toBe(false);
  expect(decide('read', 'human-monitor-command', { args: '{"command-line":"info status"}' }).allowed).toBe(true);
});

it("keeps everybody from the gateway's own monitor", () => {
  const ownMonitor = { chardevs: ['qmp0'], objects: [] };
  const decision = decide('host', 'chardev-remove', { args: '{"id":"qmp0"}', ownMonitor });
  expect(decision).toMatchObject({ allowed: false, rule: 'own-monitor' });
  expect(decide('host', 'chardev-remove', { args: '{"id":"other"}', ownMonitor }).allowed).toBe(true);
});

it('keeps secrets of the object tree for level host, by the name of the property', () => {
  const reading = (property: string) => `{"path":"/objects/luks0","property":"${property}"}`;
  const rule = 'qom-get:secret';
  expect(decide('configure', 'qom-get', { args: reading('data') })).toMatchObject({
    allowed: false,
    class: 'host',
    rule,
  });
  expect(decide('host', 'qom-get', { args: reading('data') })).toMatchObject({ allowed: true, class: 'host', rule });
  expect(decide('read', 'qom-get', { args: reading('type') })).toMatchObject({
    allowed: true,
    class: 'read',
    rule: 'base',
  });
  const secretProperties = new Set(['payload']);
  expect(decide('read', 'qom-get', { args: reading('payload') }).allowed).toBe(true);
  expect(decide('read', 'qom-get', { args: reading('payload'), secretProperties })).toMatchObject({
    allowed: false,
    rule,
  });
  expect(decide('read', 'qom-get', { args: reading('format'), secretProperties }).allowed).toBe(true);
});

it('names the rule and the level in the refusal', () => {
  const args = '{"device":"d","backing-file":"/etc/passwd"}';
  const problem = forbidden('block-commit', decide('configure', 'block-commit', { args }));
  expect(problem).toMatchObject({ code: 'forbidden', status: 403 });
  expect(problem.detail).toContain('rule block-job:backing-file');
  expect(problem.detail).toContain('needs level host, and the credentials have configure');
});

it('never allows a lower level what it refuses a higher one', () => {
  const command = fc.constantFrom(...knownCommands('qemu'));
  const value = fc.constantFrom('"exec:id"', '"/etc/passwd"', '"null-co"', '{}', '[{"type":"abort"}]', '"iothread"');
  const member = fc.constantFrom('uri', 'driver', 'qom-type', 'type', 'backing-file', 'actions', 'command-line', 'id');
  const args = fc.uniqueArray(fc.tuple(member, value), { selector: ([name]) => name, maxLength: 3 });
  fc.assert(
    fc.property(command, args, (name, members) => {
      const text = `{${members.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
      const allowed = classOrder.map((level) => decide(level, name, { args: text }).allowed);
      expect(allowed).toEqual([...allowed].sort((a, b) => Number(a) - Number(b)));
    }),
  );
});
