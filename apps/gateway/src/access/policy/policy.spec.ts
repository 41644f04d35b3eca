import {
  classOrder,
  classifyCommand,
  compareClasses,
  knownCommands,
  type ClassSettings,
  type ServerKind,
} from '@qmp-gateway/catalog';
import { readJson } from '@qmp-gateway/qapi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noOwnMonitor, type OwnMonitor } from './own-monitor.js';
import { forbidden, Policy, type Decision, type Outlook } from './policy.js';
import { Principal, type Grant, type Level } from '../principal.js';

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

/** What policy is asked: it looks at nothing else of schema, command and VM. */
function asked(level: Level, name: string, options: Case) {
  const { kind = 'qemu', grant = {}, hostCommands = {}, classes = noSettings, ownMonitor = noOwnMonitor } = options;
  const { secretProperties = new Set<string>() } = options;
  const definition = hostCommands.vm === undefined ? {} : { hostCommands: hostCommands.vm };
  return {
    policy: new Policy({ hostCommands: hostCommands.all ?? true }, classes),
    principal: new Principal('p', 'p', { level, vms: ['*'], ...grant }),
    schema: { origin: { kind, version: '10.2.0' } },
    command: { name },
    vm: { definition, ownMonitor, secretProperties },
  };
}

function decide(level: Level, name: string, options: Case = {}): Decision {
  const { policy, principal, ...governed } = asked(level, name, options);
  const root = options.args === undefined ? undefined : readJson(options.args).root;
  return policy.decide(principal, governed, root);
}

function outlook(level: Level, name: string, options: Case = {}): Outlook {
  const { policy, principal, ...governed } = asked(level, name, options);
  return policy.outlook(principal, governed);
}

describe.each(kinds)('every command of %s', (kind) => {
  const commands = [...knownCommands(kind), 'x-from-the-future'];

  it('is allowed from the level of its class up, with a reason either way', () => {
    for (const name of commands)
      for (const level of classOrder) {
        const decision = decide(level, name, { kind });
        const { class: needed } = classifyCommand({ kind }, name, undefined);
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
      const isHost = classifyCommand({ kind }, name, undefined).class === 'host';
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

it('names the level first in the refusal, then the rule and its reason', () => {
  const args = '{"device":"d","backing-file":"/etc/passwd"}';
  const problem = forbidden('block-commit', decide('configure', 'block-commit', { args }));
  expect(problem).toMatchObject({ code: 'forbidden', status: 403 });
  expect(problem.detail).toBe(
    'block-commit needs level host; the credentials have level configure ' +
      '(rule block-job:backing-file: backing-file writes a host path into image metadata, to be opened later).',
  );
  const grant = { commands: { deny: ['stop'] } };
  expect(forbidden('stop', decide('host', 'stop', { grant })).detail).toBe(
    'stop is refused (rule grant:deny: the credentials exclude stop).',
  );
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

describe('what is said of a command before its arguments are known', () => {
  const ownMonitor: OwnMonitor = { chardevs: ['qmp0'], objects: [] };
  const of = (level: Level, name: string, options?: Case) => outlook(level, name, options).allowed;

  it('is yes or no only where that holds for all arguments', () => {
    expect([of('operate', 'device_add'), of('configure', 'device_add'), of('host', 'device_add')]).toEqual([
      false,
      'by-arguments',
      true,
    ]);
    expect(of('read', 'human-monitor-command')).toBe('by-arguments');
    expect([of('read', 'device-list-properties'), of('configure', 'device-list-properties')]).toEqual([
      'by-arguments',
      true,
    ]);
    expect([of('read', 'query-status'), of('operate', 'migrate')]).toEqual([true, false]);
  });

  it('is bounded by what stands above levels', () => {
    expect(of('host', 'device_add', { hostCommands: { all: false } })).toBe('by-arguments');
    expect(of('host', 'migrate', { hostCommands: { vm: false } })).toBe(false);
    expect(of('host', 'device_add', { grant: { commands: { deny: ['device_*'] } } })).toBe(false);
    expect(of('host', 'device_add', { grant: { commands: { allow: ['query-*'] } } })).toBe(false);
    expect([of('host', 'yank', { ownMonitor }), of('host', 'yank')]).toEqual(['by-arguments', true]);
    // Only monitor objects would be in the way of this one.
    expect(of('host', 'object-del', { ownMonitor })).toBe(true);
    expect(of('configure', 'block-commit', { classes: new Map([['block-commit', 'host']]) })).toBe(false);
  });

  it('is never contradicted by what is said of any arguments', () => {
    const command = fc.constantFrom(
      ...['device_add', 'transaction', 'human-monitor-command', 'block-commit', 'device-list-properties'],
      ...['chardev-change', 'chardev-remove', 'yank', 'object-del', 'migrate', 'blockdev-add', 'stop'],
    );
    const args = fc.constantFrom(
      ...[
        '{}',
        '{"driver":"virtio-rng-pci"}',
        '{"driver":"null-co"}',
        '{"command-line":"info status"}',
        '{"id":"qmp0"}',
      ],
      ...['{"actions":[]}', '{"actions":[{"type":"x"}]}', '{"typename":"x-remote-object"}', '{"backing-file":"x"}'],
      ...['{"command-line":"chardev-remove qmp0"}', '{"id":"qmp0","backend":{"type":"null","data":{}}}'],
      '{"instances":[{"type":"chardev","id":"qmp0"}]}',
    );
    const options = fc.record({
      kind: fc.constantFrom(...kinds),
      hostCommands: fc.record({ all: fc.boolean(), vm: fc.boolean() }),
      ownMonitor: fc.constantFrom(noOwnMonitor, ownMonitor, { chardevs: [], objects: ['qmp0'] }),
      classes: fc.constantFrom<ClassSettings>(noSettings, new Map([['block-commit', 'host']])),
      grant: fc.constantFrom({}, { commands: { deny: ['stop'] } }, { commands: { allow: ['*_add', 'stop'] } }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...classOrder), command, args, options, (level, name, text, rest) => {
        const { allowed } = outlook(level, name, rest);
        if (allowed === 'by-arguments') return;
        expect(decide(level, name, { ...rest, args: text }).allowed).toBe(allowed);
        expect(decide(level, name, rest).allowed).toBe(allowed);
      }),
      { numRuns: 3000 },
    );
  });
});
