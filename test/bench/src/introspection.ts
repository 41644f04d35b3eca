/** The introspection of a server that offers what the benchmarks run, and no more. */
export const benchIntrospection = JSON.stringify([
  { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' },
  { name: '0', 'meta-type': 'object', members: [] },
  {
    name: '1',
    'meta-type': 'object',
    members: [
      { name: 'running', type: 'bool' },
      { name: 'singlestep', type: 'bool' },
      { name: 'status', type: 'str' },
    ],
  },
  { name: 'query-status', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '1' },
]);

/** Its answer to query-status. */
export const benchStatus = '{"status": "running", "singlestep": false, "running": true}';
