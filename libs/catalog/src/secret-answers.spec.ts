import { describe, expect, it } from 'vitest';
import { mayAnswerSecret, secretInAnswer } from './secret-answers.js';
import { closedProperties, secretHolders, secretPropertyName } from './secret-properties.js';

describe('the name of a property', () => {
  it.each(['data', 'auth-key', 'vf-token', 'osk', 'password', 'x-password', 'key', 'api_key', 'tls.psk', 'cookie'])(
    'that may be a secret: %s',
    (name) => expect(secretPropertyName.test(name)).toBe(true),
  );

  it.each([
    // Names of objects, of files, and switches: each is a property of some type of QEMU 7.2 or 11.1.
    ...['type', 'keyid', 'passwordid', 'iv', 'file', 'format', 'serial', 'username', 'tls-creds', 'key-secret'],
    ...[
      'sgx-provisionkey',
      'sgx-tokenkey',
      'author-key-enabled',
      'data-len',
      'data_width',
      'discard-data',
      'boot-bypass',
    ],
    ...[
      'hv-passthrough',
      'session-file',
      'dh-cert-file',
      'id-auth',
      'host-data',
      'policy',
      'kernel-hashes',
      'metadata',
    ],
  ])('that is none: %s', (name) => expect(secretPropertyName.test(name)).toBe(false));

  it('of an unknown type of secrets is closed unless it is known to tell nothing', () => {
    expect(closedProperties(['type', 'iv', 'keyid', 'loaded', 'format', 'file', 'payload', 'data'])).toEqual([
      ...['payload', 'data'],
    ]);
    expect(secretHolders.has('secret')).toBe(true);
  });
});

/** As QEMU wrote them: 7.2 with block-curl and an http server, 11.1 with an emmc and a secret. */
const image = (filename: string) => `[{"inserted": {"image": {"filename": ${filename}, "format": "http"}}}]`;
const properties = (name: string, value: string) =>
  `[{"properties": [{"name": "type", "value": "secret", "type": "string"}, {"name": "${name}", "value": ${value}, "type": "string"}]}]`;
const qtree = (line: string) =>
  JSON.stringify(`bus: isa.0\r\n  dev: x, id ""\r\n    iobase = 768 (0x300)\r\n    ${line}\r\n`);

describe('an answer', () => {
  it.each([
    ['qom-list-get', properties('data', '"hunter2hunter2"'), "property 'data' of an object"],
    ['qom-list-get', properties('d\\u0061ta', '"hunter2hunter2"'), "property 'data' of an object"],
    [
      'qom-list-get',
      `[{"properties": []}, ${properties('auth-key', '"656d"').slice(1)}`,
      "property 'auth-key' of an object",
    ],
    ['qom-list-get', properties('password', '{"a": 1}'), "property 'password' of an object"],
    ['qom-list-get', '[{"properties": [{"name": "data",', 'what cannot be read'],
    ['query-block', image('"http://user:urlsecret@127.0.0.1:43771/a.img"'), 'a password in the URL of an image'],
    ['query-named-block-nodes', image('"iscsi://u%pw@h/iqn/0"'), 'a password in the URL of an image'],
    [
      'query-named-block-nodes',
      image('"json:{\\"driver\\": \\"http\\", \\"username\\": \\"u1\\", \\"cookie\\": \\"sess=cookiesecret\\"}"'),
      'a password or cookie among the options of an image',
    ],
    ['query-block', image('"rbd:pool/i:id=admin:key=AQ=="'), 'a key among the options of an image'],
    ['human-monitor-command', qtree('osk = "ourhardwork"'), "property 'osk' of a device"],
    ['human-monitor-command', qtree('auth-key = "656d6d63"'), "property 'auth-key' of a device"],
    [
      'human-monitor-command',
      '"d3 (#block1): http://user:pw@h/c.img (raw)\\r\\n"',
      'a password in the URL of an image',
    ],
    ['human-monitor-command', '"not ended', 'what cannot be read'],
  ])('of %s that holds a secret: %s', (command, answer, secret) => {
    expect([mayAnswerSecret(command), secretInAnswer(command, Buffer.from(answer))]).toEqual([true, secret]);
  });

  it.each([
    ['qom-list-get', properties('data', '""')],
    ['qom-list-get', properties('data', '5')],
    ['qom-list-get', properties('keyid', '"sec0"')],
    ['qom-list-get', '[{"properties": [{"name": "data", "type": "string"}]}]'],
    ['qom-list-get', '{}'],
    ['query-block', image('"/srv/images/a@b:c.qcow2"')],
    ['query-block', image('"ssh://user@host/a.img"')],
    [
      'query-block',
      image('"json:{\\"driver\\": \\"luks\\", \\"key-secret\\": \\"sec0\\", \\"password-secret\\": \\"s1\\"}"'),
    ],
    ['query-block', image('"http://host/a:b@c"')],
    ['human-monitor-command', qtree('osk = ""')],
    ['human-monitor-command', qtree('vf-token = "00"').replace('vf-token', 'mac')],
    ['human-monitor-command', '{}'],
    ['query-status', properties('data', '"x"')],
  ])('of %s that holds none: %s', (command, answer) =>
    expect(secretInAnswer(command, Buffer.from(answer))).toBeUndefined(),
  );

  it('of many objects is not read, and names no secret unless it is told', () => {
    const [entry = ''] = /\{"name.*?\}/.exec(properties('poll-max-ns', '"1"')) ?? [];
    const many = (last: string) => Buffer.from(`[{"properties": [${`${entry}, `.repeat(50_000)}${last}]}]`);
    expect(secretInAnswer('qom-list-get', many(entry))).toBeUndefined();
    expect(secretInAnswer('qom-list-get', many('{"name": "data", "value": ""}'))).toMatch(/too much to tell/);
  });

  it('is looked through once, however it is made', () => {
    for (const part of ['://a:', 'rbd:', '"x-', '"cookie', '://', '\\\\'])
      expect(secretInAnswer('query-block', Buffer.from(part.repeat(400_000)))).toBeUndefined();
  });
});
