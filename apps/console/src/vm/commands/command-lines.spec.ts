import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { curlLine, jsonRpcLine } from './command-lines.js';

it('a shell gives curl exactly these words', () => {
  const args = `{"a":"it's $HOME \`x\` \\\\ \\n","b":18446744073709551615}`;
  const line = curlLine('https://gw.example.org', 'web-1', 'device_add', args);
  const words = execFileSync('/bin/sh', ['-c', line.replace(/^curl/, `printf '%s\\n'`)], {
    env: { QMPGW_TOKEN: 'the-token' },
    encoding: 'utf8',
  });
  expect(words.split('\n')).toEqual([
    ...['-sS', '-H', 'Authorization: Bearer the-token', '--json', args],
    ...['https://gw.example.org/v1/vms/web-1/qmp/device_add', ''],
  ]);
  expect(curlLine('http://127.0.0.1:8080', 'a', 'stop', undefined)).toContain(" -X POST 'http://");
});

it('the JSON-RPC message keeps the arguments as they are', () => {
  expect(jsonRpcLine('a"b', 'stop', undefined)).toBe(
    '{"jsonrpc":"2.0","id":1,"method":"execute","params":{"vm":"a\\"b","command":"stop"}}',
  );
  expect(jsonRpcLine('a', 'x', '{"n":1.0}')).toContain('"arguments":{"n":1.0}}');
});
