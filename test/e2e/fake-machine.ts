import type { FakeCommand, FakeMonitor, FakeMonitorOptions, Scene } from '@qmp-gateway/test-kit';

/** What the gateway asks by itself when a session begins, and its liveness probe. */
const ownCommands = new Set([
  'qmp_capabilities',
  'query-qmp-schema',
  'query-status',
  'query-name',
  'query-uuid',
  'query-yank',
]);

/** Commands no catalog knows: {@link fakeMachineSettings} give them their class; undeclared members pass. */
export const echo = '__com.example_echo';
export const change = '__com.example_change';
/** One of class `read` that the catalogs know, so that its arguments are those it declares, and no others. */
export const strict = 'query-rx-filter';

/** Settings of a gateway that serves fake machines. */
export const fakeMachineSettings = { commandClasses: { [echo]: 'read', [change]: 'operate' } };

const builtin = (name: string, jsonType: string) => ({ name, 'meta-type': 'builtin', 'json-type': jsonType });
const command = (name: string, argType = 'empty', retType = 'any', more: object = {}) => ({
  name,
  'meta-type': 'command',
  'arg-type': argType,
  'ret-type': retType,
  ...more,
});
const optional = (name: string, type: string) => ({ name, type, default: null });

/** Introspection as a server would tell it: a few commands with every kind of argument. */
const introspection = JSON.stringify([
  builtin('str', 'string'),
  builtin('int', 'int'),
  builtin('bool', 'boolean'),
  builtin('number', 'number'),
  builtin('any', 'value'),
  { name: 'empty', 'meta-type': 'object', members: [] },
  { name: '[int]', 'meta-type': 'array', 'element-type': 'int' },
  { name: '[any]', 'meta-type': 'array', 'element-type': 'any' },
  { name: 'color', 'meta-type': 'enum', values: ['red', 'green'], members: [{ name: 'red' }, { name: 'green' }] },
  { name: 'inner', 'meta-type': 'object', members: [optional('depth', 'int'), optional('name', 'str')] },
  {
    name: 'alternative',
    'meta-type': 'alternate',
    members: [{ type: 'str' }, { type: 'inner' }],
  },
  {
    name: 'echo-arg',
    'meta-type': 'object',
    members: [
      ...[optional('integer', 'int'), optional('integers', '[int]'), optional('number', 'number')],
      ...[optional('text', 'str'), optional('flag', 'bool'), optional('color', 'color'), optional('inner', 'inner')],
      ...[optional('anything', 'any'), optional('either', 'alternative')],
    ],
  },
  {
    name: 'device-arg',
    'meta-type': 'object',
    members: [{ name: 'id', type: 'str' }],
  },
  {
    name: 'status',
    'meta-type': 'object',
    members: [
      { name: 'running', type: 'bool' },
      { name: 'status', type: 'str' },
    ],
  },
  command('query-status', 'empty', 'status'),
  command('query-name'),
  command('query-uuid'),
  command('query-qmp-schema', 'empty', '[any]'),
  command('query-yank', 'empty', 'any', { 'allow-oob': true }),
  command('qmp_capabilities'),
  { name: 'fd-arg', 'meta-type': 'object', members: [{ name: 'fdname', type: 'str' }] },
  command('getfd', 'fd-arg'),
  command('stop'),
  command('cont'),
  command('quit'),
  command('device_del', 'device-arg'),
  command('screendump', 'device-arg'),
  command(echo, 'echo-arg'),
  command(change, 'echo-arg'),
  command(strict, 'echo-arg'),
]);

/** A fake monitor with enough behind it to become a VM of the gateway; {@link echo}, {@link change} and {@link strict} return their arguments. */
export interface FakeMachine {
  readonly fake: FakeMonitor;
  /** As settings and `PUT /v1/vms/{vm}` take it. */
  readonly endpoint: string;
  /** The commands of clients as they arrived: what the gateway asked by itself is left out. */
  readonly received: readonly FakeCommand[];
  /** Their names, and forgets them. */
  takeReceived(): string[];
}

export async function fakeMachine(scene: Scene, options?: FakeMonitorOptions): Promise<FakeMachine> {
  const fake = await scene.fake(options);
  fake
    .on('query-qmp-schema', () => ({ json: introspection }))
    .on('query-status', () => ({ json: '{"running": true, "status": "running"}' }))
    .on('query-name', () => ({ json: '{}' }))
    .on('query-uuid', () => ({ json: '{"UUID": "00000000-0000-0000-0000-000000000000"}' }))
    .on('query-yank', () => ({ json: '[]' }));
  for (const name of ['stop', 'cont', 'device_del', 'screendump']) fake.on(name, () => ({ json: '{}' }));
  for (const name of [echo, change, strict]) fake.on(name, (received) => ({ json: argumentsText(received) }));
  const { endpoint } = fake;
  if (endpoint.kind !== 'unix') throw new Error('a fake machine listens on a unix socket');
  return {
    fake,
    endpoint: `unix:${endpoint.path}`,
    get received() {
      return fake.commands.filter(({ name }) => !ownCommands.has(name));
    },
    takeReceived: () =>
      fake.commands
        .splice(0)
        .map(({ name }) => name)
        .filter((name) => !ownCommands.has(name)),
  };
}

/** The arguments object byte for byte; `{}` when there was none. Our messages end with their id. */
export function argumentsText({ raw }: FakeCommand): string {
  return /"arguments":\s*(\{.*\})\s*,\s*"id"/s.exec(raw.toString())?.[1] ?? '{}';
}

/** JSON as our messages have it. */
export function withoutSpace(json: string): string {
  return json.replaceAll(/("(?:[^"\\]|\\[^])*")|[ \t\r\n]+/g, '$1');
}
