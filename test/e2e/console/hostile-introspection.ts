/** Markup that runs a script where a page takes text for markup. */
export const script = `"><img src=x onerror="window.owned=1"><script>window.owned=1</script>`;

const builtin = (name: string, jsonType: string) => ({ name, 'meta-type': 'builtin', 'json-type': jsonType });
const command = (name: string, argType: string) => ({
  ...{ name, 'meta-type': 'command', 'arg-type': argType, 'ret-type': 'any' },
});
const optional = (name: string, type: string) => ({ name, type, default: null });

const own = ['query-status', 'query-name', 'query-uuid', 'query-yank', 'qmp_capabilities', 'stop', 'cont'];

/** How a VM describes itself that has these commands, all without arguments, besides those that every VM has. */
export function introspectionOf(commands: readonly string[]): string {
  return JSON.stringify([
    builtin('any', 'value'),
    { name: 'empty', 'meta-type': 'object', members: [] },
    ...[...own, 'query-qmp-schema', ...commands].map((name) => command(name, 'empty')),
  ]);
}

/** How a VM describes itself whose every name is meant for a page that takes it for markup. */
export const hostileIntrospection = JSON.stringify([
  ...[builtin('str', 'string'), builtin('int', 'int'), builtin('any', 'value')],
  { name: 'empty', 'meta-type': 'object', members: [] },
  { name: '[any]', 'meta-type': 'array', 'element-type': 'any' },
  { name: script, 'meta-type': 'enum', values: [script, 'javascript:window.owned=1', '__proto__'] },
  {
    name: 'endless',
    'meta-type': 'object',
    members: [optional('name', 'str'), { name: 'next', type: 'endless' }],
  },
  {
    name: 'hostile',
    'meta-type': 'object',
    members: [
      ...[optional(script, 'str'), optional('kind', script), optional('__proto__', 'str')],
      ...[optional('constructor', 'int'), optional('endless', 'endless'), optional('any', 'any')],
      ...[optional('javascript:window.owned=1', 'str')],
    ],
  },
  ...own.map((name) => command(name, 'empty')),
  command('query-qmp-schema', 'empty'),
  command('query-rx-filter', 'hostile'),
]);
