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
  { name: 'query-vnc-servers', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '[0]' },
  { name: '[0]', 'meta-type': 'array', 'element-type': '0' },
]);

/** Its answer to query-status. */
export const benchStatus = '{"status": "running", "singlestep": false, "running": true}';

/** Its answer to query-vnc-servers, when it has a display without a password. */
export function vncServersAt(service: string): string {
  const address = { family: 'unix', host: '', service, websocket: false, auth: 'none' };
  return JSON.stringify([{ id: 'default', auth: 'none', clients: [], server: [address] }]);
}
