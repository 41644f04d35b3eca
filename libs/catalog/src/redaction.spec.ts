import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '@qmp-gateway/qapi';
import { redactedArguments, redactedMembers, redactionMark, withoutSecrets, type ServerKind } from './index.js';

function redacted(command: string, args: unknown, kind: ServerKind = 'qemu'): unknown {
  const text = JSON.stringify(args);
  const result = redactedArguments(kind, command, readJson(text).root, text);
  return result === undefined ? undefined : JSON.parse(result);
}

const mark = '[redacted]';

describe('redactedArguments', () => {
  it.each<[ServerKind, string, unknown, unknown]>([
    ['qemu', 'set_password', { protocol: 'vnc', password: 'canary' }, { protocol: 'vnc', password: mark }],
    ['qemu', 'change-vnc-password', { password: 'canary' }, { password: mark }],
    [
      'qemu',
      'object-add',
      { 'qom-type': 'secret', id: 's', data: 'canary' },
      { 'qom-type': 'secret', id: 's', data: mark },
    ],
    [
      'qemu',
      'object-add',
      { 'qom-type': 'secret', props: { data: 'canary' } },
      { 'qom-type': 'secret', props: { data: mark } },
    ],
    [
      'qemu',
      'sev-inject-launch-secret',
      { secret: 'canary', 'packet-header': 'canary' },
      { secret: mark, 'packet-header': mark },
    ],
    ['qemu', 'send-key', { keys: [{ type: 'qcode', data: 'c' }], 'hold-time': 5 }, { keys: mark, 'hold-time': 5 }],
    [
      'qemu',
      'qom-set',
      { path: '/x', property: 'p', value: { a: 'canary' } },
      { path: '/x', property: 'p', value: mark },
    ],
    [
      'qemu',
      'blockdev-add',
      { driver: 'https', url: 'https://me:canary@h/x', cookie: 'canary' },
      { driver: 'https', url: `https://${mark}@h/x`, cookie: mark },
    ],
    [
      'qemu',
      'blockdev-add',
      { driver: 'raw', file: { driver: 'http', 'proxy-password': 'canary' } },
      { driver: 'raw', file: { driver: 'http', 'proxy-password': mark } },
    ],
    [
      'guest-agent',
      'guest-set-user-password',
      { username: 'u', password: 'canary' },
      { username: 'u', password: mark },
    ],
    [
      'guest-agent',
      'guest-exec',
      { path: '/x', arg: ['canary'], env: ['A=canary'], 'input-data': 'canary' },
      { path: '/x', arg: mark, env: mark, 'input-data': mark },
    ],
    ['guest-agent', 'guest-file-write', { handle: 1, 'buf-b64': 'canary' }, { handle: 1, 'buf-b64': mark }],
    ['stratovirt', 'input_event', { key: 'keyboard', value: 'canary' }, { key: 'keyboard', value: mark }],
    ['storage-daemon', 'object-add', { 'qom-type': 'secret', data: 'canary' }, { 'qom-type': 'secret', data: mark }],
  ])('%s %s', (kind, command, args, expected) => {
    expect(redacted(command, args, kind)).toEqual(expected);
  });

  it('shows nothing of commands nobody described and of human monitor lines', () => {
    expect(redacted('__vendor_x', { password: 'canary' })).toBeUndefined();
    expect(redacted('human-monitor-command', { 'command-line': 'change vnc password canary' })).toBeUndefined();
  });

  it('keeps what is no secret as it was written, long integers included', () => {
    const text = '{"qom-type":"iothread","poll-max-ns":9223372036854775807}';
    expect(redactedArguments('qemu', 'object-add', readJson(text).root, text)).toBe(text);
  });

  it('lets no value of a secret member through, at any depth', () => {
    const names = fc.constantFrom(
      'password',
      'api-key',
      'accessKey',
      'KEY',
      'auth-token',
      'http-cookie',
      'passphrase',
      'PASSWORD',
    );
    fc.assert(
      fc.property(names, fc.integer({ min: 0, max: 5 }), (name, depth) => {
        let args: unknown = { [name]: 'canary' };
        for (let level = 0; level < depth; level++) args = level % 2 === 0 ? { inner: args } : [args];
        expect(JSON.stringify(redacted('blockdev-add', { driver: 'x', args }))).not.toContain('canary');
      }),
    );
  });

  it('tells the schema paths', () => {
    expect(redactedMembers('qemu', 'set_password')).toEqual([['password']]);
    expect(redactedMembers('storage-daemon', 'object-add')).toEqual([['data'], ['props', 'data']]);
    expect(redactedMembers('qemu', 'stop')).toEqual([]);
  });
});

describe('withoutSecrets', () => {
  it.each<[string, unknown, string, string]>([
    ['set_password', { password: 'c4nary' }, "Bad 'c4nary' and c4nary", `Bad '${mark}' and ${mark}`],
    ['set_password', { password: 'format' }, "Bad format 'format'", `Bad format '${mark}'`],
    [
      'set_password',
      { password: 'format' },
      'password=format: formatted as format: format',
      `password=${mark}: formatted as format: ${mark}`,
    ],
    ['blockdev-add', { 'key-secret': 'sec0' }, "No secret with id 'sec0'", "No secret with id 'sec0'"],
    ['blockdev-add', { keyboard: 'de-x', monkey: 'chimp' }, "'de-x' or 'chimp'", "'de-x' or 'chimp'"],
    ['object-add', { props: { data: 'canary' } }, 'canary', mark],
    ['guest-exec', { env: ['A=canary', 'B=other'] }, 'A=canary', 'A=canary'],
    [
      'qom-set',
      { path: '/x', value: { deep: ['c4nary', 123456] } },
      'not c4nary nor 123456',
      `not ${mark} nor ${mark}`,
    ],
    [
      'blockdev-add',
      { filename: 'nbd://u:canary@h/x' },
      "can't open nbd://u:canary@h/x",
      `can't open nbd://${mark}@h/x`,
    ],
    ['blockdev-add', { filename: 'nbd://u:canary@h/x' }, 'user u:canary refused', `user ${mark} refused`],
    ['set_password', { password: 'canary-canary-2', 'key-secret': 'canary' }, 'canary-canary-2', mark],
    ['device_add', { driver: 'canary', id: 'canary' }, "'canary' is no driver", "'canary' is no driver"],
    ['set_password', { password: 'on' }, 'not on', 'not on'],
  ])('%s %j: %s', (command, args, said, expected) => {
    expect(withoutSecrets('qemu', command, JSON.stringify(args), said)).toBe(expected);
  });

  it("leaves StratoVirt's words for a device alone", () => {
    const args = JSON.stringify({ key: 'keyboard', value: 'keyboard' });
    const said = 'Invalid keyboard format';
    expect(withoutSecrets('stratovirt', 'input_event', args, said)).toBe(said);
  });

  const text = fc.stringMatching(/^[ -~]{0,40}$/);
  const secret = fc.stringMatching(/^[!-~]{4,20}$/).filter((value) => !redactionMark.includes(value));

  it('lets no secret through that is more than a plain word, nor one that the text quotes', () => {
    fc.assert(
      fc.property(text, secret, text, (before, password, after) => {
        const args = JSON.stringify({ password });
        const isWord = /^[A-Z]?[a-z]{3,15}$/.test(password);
        const said = isWord ? `${before}'${password}'${after}` : `${before}${password}${after}`;
        fc.pre(!before.includes(password) && !after.includes(password));
        const shown = withoutSecrets('qemu', 'set_password', args, said);
        expect(shown).not.toContain(isWord ? `'${password}'` : password);
        expect(shown).toContain(redactionMark);
      }),
    );
  });

  it("changes nothing of a server's own sentence, whatever the values are that are no secrets or its very words", () => {
    const words = ['Invalid', 'keyboard', 'format', 'device', 'expects', 'value'];
    const word = fc.constantFrom(...words);
    const names = fc.constantFrom('keyboard', 'keyid', 'monkey', 'key-secret', 'password-secret', 'id', 'hotkey');
    fc.assert(
      fc.property(names, word, word, (name, value, password) => {
        const said = words.join(' ');
        const args = JSON.stringify({ [name]: value, password });
        expect(withoutSecrets('qemu', 'set_password', args, said)).toBe(said);
      }),
    );
  });

  it('hides all of a list, in the guest too', () => {
    const args = JSON.stringify({ env: ['A=canary', 'B=other'] });
    expect(withoutSecrets('guest-agent', 'guest-exec', args, 'A=canary B=other')).toBe(`${mark} ${mark}`);
  });
});
