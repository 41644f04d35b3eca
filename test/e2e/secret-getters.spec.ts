import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange, type Exchange } from './http-exchange.js';
import { objectTreeMachine, type TreeObject } from './object-tree-machine.js';
import { Entrances } from './policy-entrances.js';

const secret = 'hunter2-of-the-disk';
const osk = 'the-key-of-the-system-is-64-characters-long-and-this-is-not-him!';
const inBase64 = Buffer.from('hunter3-of-the-net').toString('base64');
const secrets = [secret, osk, inBase64, secret.slice(0, 7), 'vault-payload'];

const scene = new GatewayScene();
let gateway: GatewayProcess;
const tokens = new Map<string, string>();
const entrances = new Map<string, Entrances>();
/** Everything that anybody below `host` got. */
let received = '';
const below = ['read', 'operate', 'configure'] as const;

/** QEMU 11.1 with an object that is reached by a link, and a type of secrets from the future. */
const tree: TreeObject = {
  type: 'container',
  children: {
    machine: {
      type: 'pc-q35-11.1-machine',
      links: { vault: '/objects/luks0' },
      children: {
        peripheral: {
          type: 'container',
          children: { disk0: { type: 'virtio-blk-pci', properties: { serial: 's1' } } },
        },
      },
    },
    objects: {
      type: 'container',
      children: {
        luks0: { type: 'secret', properties: { iv: '', keyid: '', format: 'raw', file: '', data: secret } },
        vault0: { type: 'secret_vault', properties: { iv: '', keyid: 'k', format: 'raw', payload: 'vault-payload' } },
        io0: { type: 'iothread', properties: { 'poll-max-ns': 32768 } },
      },
    },
  },
};

let real: string;
let future: string;
let newer: FakeMachine;

beforeAll(async () => {
  gateway = await scene.gateway();
  const machine = await scene.qemu({
    machine: 'q35',
    args: [
      ...['-object', `secret,id=luks0,data=${secret}`, '-object', `secret,id=b64,format=base64,data=${inBase64}`],
      ...['-object', 'iothread,id=io0', '-device', `isa-applesmc,id=smc0,osk=${osk}`],
    ],
  });
  real = await registerVm(gateway, `unix:${machine.socket}`);
  newer = await objectTreeMachine(scene, tree, ['qmp0']);
  future = await registerVm(gateway, newer.endpoint);
  for (const level of below) {
    const token = makeToken(gateway, { name: level, level, vms: ['*'] });
    tokens.set(level, token);
    for (const vm of [real, future])
      entrances.set(
        `${level} ${vm}`,
        scene.keep(await Entrances.open(gateway, vm, token), (open) => open.close()),
      );
  }
});
afterAll(() => scene.end());

function entrancesOf(level: string, vm: string): Entrances {
  const open = entrances.get(`${level} ${vm}`);
  if (open === undefined) throw new Error(`no entrances for ${level}`);
  return open;
}
async function as(level: string, path: string, options: Parameters<typeof exchange>[2] = {}): Promise<Exchange> {
  const answer = await exchange({ ...gateway, token: tokens.get(level) ?? '' }, path, options);
  received += answer.text;
  return answer;
}

const get = (path: string, property = 'data') => ['qom-get', JSON.stringify({ path, property })] as const;
const line = (text: string) => ['human-monitor-command', JSON.stringify({ 'command-line': text })] as const;
const all = (...paths: string[]) => ['qom-list-get', JSON.stringify({ paths })] as const;

/** What QEMU 7.2 answered with the secret, over its own socket. */
const spellings: readonly (readonly [string, string])[] = [
  get('/objects/luks0'),
  get('luks0'),
  get('objects/luks0'),
  get('/objects/luks0/'),
  get('//objects//luks0'),
  get('///objects///luks0///'),
  get('objects//luks0/'),
  get('luks0/'),
  get('/objects/b64'),
  get('b64'),
  ['qom-get', '{"property":"data","path":"/objects/luks0"}'],
  ['qom-get', '{"path":"\\u002fobjects\\/luks0","property":"\\u0064ata"}'],
  ['qom-get', '{"p\\u0061th":"/objects/luks0","propert\\u0079":"data"}'],
  ['qom-get', ' { "path" :\t"luks0" ,\n"property" : "d\\u0061ta" } '],
  get('/machine/peripheral/smc0', 'osk'),
  get('smc0', 'osk'),
  get('peripheral/smc0', 'osk'),
  line('qom-get /objects/luks0 data'),
  line('qom-get luks0 data'),
  line('qom-get "luks0" "data"'),
  line(' \t qom-get\tobjects//luks0  data'),
  line('qom-get/objects/luks0 data'),
  line('qom-get "luks0"data'),
  line('info qtree'),
];
/** As QEMU 11.1 answered; `payload` and the link are its future. */
const newerSpellings: readonly (readonly [string, string])[] = [
  all('/objects/luks0'),
  all('luks0'),
  all('objects//luks0/'),
  all('/machine', '/objects/luks0'),
  all('/objects/io0', 'luks0', '/objects/io0'),
  all('/machine/vault'),
  all('vault'),
  all('/objects/vault0'),
  ['qom-list-get', '{"p\\u0061ths":["\\u002fobjects/luks0"]}'],
  get('/machine/vault'),
  get('vault'),
  get('/objects/vault0', 'payload'),
  get('vault0', 'payload'),
];

describe('the value of a secret', () => {
  it.each(below)('is got by no spelling and no entrance at level %s', async (level) => {
    for (const [vm, tried] of [
      [real, spellings],
      [
        future,
        [...newerSpellings, ...spellings.filter(([name, args]) => name === 'qom-get' && !/smc0|b64/.test(args))],
      ],
    ] as const) {
      const open = entrancesOf(level, vm);
      for (const [command, args] of tried) {
        const verdicts = await open.run(command, args);
        expect(new Set(Object.values(verdicts)), `${command} ${args}`).toEqual(new Set(['forbidden']));
      }
    }
  });

  it.each(below)('is in no answer of a resource, and told as withheld, at level %s', async (level) => {
    for (const vm of [real, future]) {
      const at = `/v1/vms/${vm}/qom`;
      for (const path of [
        '/objects/luks0/data',
        '/objects//luks0///data',
        '/objects/luks0/%64ata',
        '/objects/luks0/data/',
      ]) {
        const answer = await as(level, at + path);
        expect([answer.status, answer.json()['code']], path).toEqual([403, 'forbidden']);
      }
      for (const query of ['', '?values=all', '?values=self&depth=2', '?search=data&values=all']) {
        const answer = await as(level, `${at}/objects/luks0${query}`);
        expect(answer.json(), query).toMatchObject({
          type: 'secret',
          properties: { data: { type: 'string', withheld: expect.stringContaining('needs level host') as unknown } },
        });
      }
      for (const query of ['depth=32&values=all', 'type=secret*&values=all', 'search=data&values=all']) {
        const answer = await as(level, `${at}?${query}&budget=10000`);
        expect([answer.status, answer.text.includes('"withheld":')], query).toEqual([200, true]);
      }
    }
    const vault = await as(level, `/v1/vms/${future}/qom/objects/vault0`);
    expect(vault.json()).toMatchObject({
      properties: { payload: { withheld: expect.any(String) as unknown }, keyid: { value: 'k' } },
    });
  });

  it.each(below)('is in no GET, dry run, kept operation or repetition at level %s', async (level) => {
    const query = 'path=/objects/luks0&property=data';
    expect((await as(level, `/v1/vms/${real}/qmp/qom-get?${query}`)).status).toBe(403);
    expect((await as(level, `/v1/vms/${real}/qmp/qom-get?${query}`, { headers: { 'Dry-Run': 'true' } })).status).toBe(
      403,
    );
    const body = '{"paths":["luks0"]}';
    for (const headers of [
      { Prefer: 'respond-async' },
      { Prefer: 'wait=5' },
      { Accept: 'application/json;int64=string' },
    ]) {
      const answer = await as(level, `/v1/vms/${future}/qmp/qom-list-get`, { body, headers });
      expect([202, 403]).toContain(answer.status);
    }
    const headers = { 'Idempotency-Key': 'k1' };
    for (let time = 0; time < 2; time++) {
      const answer = await as(level, `/v1/vms/${future}/qmp/qom-list-get`, { body, headers });
      expect(answer.status).toBe(403);
    }
    const { operations } = (await as(level, `/v1/vms/${future}/operations`)).json() as { operations: { id: string }[] };
    expect(operations.length).toBeGreaterThan(0);
    for (const { id } of operations) await as(level, `/v1/vms/${future}/operations/${id}`);
  });

  it('is nowhere in all that they received', () => {
    const seen = received + [...entrances.values()].map((open) => open.received).join('');
    expect(seen.length).toBeGreaterThan(100_000);
    for (const text of secrets) expect(seen.split(text).length - 1, text).toBe(0);
  });

  it('is not given to whoever made it either', async () => {
    const make = '{"qom-type":"secret","id":"mine","data":"made-by-configure"}';
    expect((await as('configure', `/v1/vms/${real}/qmp/object-add`, { body: make })).status).toBe(200);
    expect((await as('configure', `/v1/vms/${real}/qmp/qom-get`, { body: get('mine')[1] })).status).toBe(403);
  });
});

describe('the password in the name of an image', () => {
  it('is told by none of the getters that name images, but to level host', async () => {
    const filename = `${scene.directory()}/a.qcow2`;
    const backing = 'http://user:swordfish@127.0.0.1:1/base.img';
    const made: readonly (readonly [string, object])[] = [
      ['blockdev-create', { 'job-id': 'j1', options: { driver: 'file', filename, size: 0 } }],
      ['blockdev-add', { driver: 'file', filename, 'node-name': 'file0' }],
      [
        'blockdev-create',
        {
          'job-id': 'j2',
          options: { driver: 'qcow2', file: 'file0', size: 1048576, 'backing-file': backing, 'backing-fmt': 'raw' },
        },
      ],
    ];
    for (const [command, args] of made) {
      const answer = await run(gateway, real, command, { args: JSON.stringify(args), headers: { Prefer: 'wait=20' } });
      expect([answer.status, answer.text], command).toEqual([200, expect.any(String)]);
    }
    const naming = ['query-named-block-nodes', 'query-block'];
    // Nothing names it yet.
    for (const name of naming) expect((await as('read', `/v1/vms/${real}/qmp/${name}`)).status).toBe(200);
    const node = { driver: 'qcow2', file: 'file0', 'node-name': 'disk0', backing: null };
    expect((await run(gateway, real, 'blockdev-add', JSON.stringify(node))).status).toBe(200);
    for (const level of below) {
      const verdicts = await entrancesOf(level, real).run('query-named-block-nodes', undefined);
      expect(new Set(Object.values(verdicts))).toEqual(new Set(['forbidden']));
      const refused = await as(level, `/v1/vms/${real}/qmp/query-named-block-nodes?flat=true`);
      expect(refused.json()).toMatchObject({ code: 'forbidden', outcome: 'refused', vm: real });
      expect(received + entrancesOf(level, real).received).not.toContain('swordfish');
    }
    expect((await run(gateway, real, 'query-named-block-nodes')).text).toContain(backing);
    expect((await as('read', `/v1/vms/${real}/qmp/query-block`)).status).toBe(200);
  });
});

describe('whoever may read secrets', () => {
  it('gets them by level host', async () => {
    for (const [command, args] of spellings.slice(0, 8))
      expect((await run(gateway, real, command, args)).text).toBe(`"${secret}"`);
    expect((await exchange(gateway, `/v1/vms/${real}/qom/objects/luks0/data`)).text).toBe(`"${secret}"`);
    for (const vm of [real, future])
      expect((await exchange(gateway, `/v1/vms/${vm}/qom/objects/luks0`)).json()).toMatchObject({
        properties: { data: { value: secret } },
      });
    expect((await run(gateway, future, ...all('luks0'))).text).toContain(secret);
    expect((await run(gateway, real, ...line('info qtree'))).text).toContain(osk);
  });

  it('gets none of a VM whose commands of class host are switched off', async () => {
    const { socket } = await scene.qemu({ args: ['-object', `secret,id=luks0,data=${secret}`] });
    const settings = { hostCommands: false, vms: { closed: { endpoint: `unix:${socket}` } } };
    const strict = await scene.gateway({ settings });
    await strict.vmBecomes('closed', 'ready');
    expect((await run(strict, 'closed', ...get('luks0'))).status).toBe(403);
    expect((await exchange(strict, '/v1/vms/closed/qom/objects/luks0')).text).toMatch(/"withheld":"[^"]*switched off/);
  });
});

describe('all other getters', () => {
  it('answer level read as before, byte for byte', async () => {
    for (const [path, property, value] of [
      ['/machine', 'type', '"pc-q35-7.2-machine"'],
      ['/objects/luks0', 'type', '"secret"'],
      ['luks0', 'format', '"raw"'],
      ['io0', 'poll-max-ns', '32768'],
    ] as const) {
      const answer = await as('read', `/v1/vms/${real}/qmp/qom-get`, { body: get(path, property)[1] });
      expect([answer.status, answer.text], path).toEqual([200, value]);
    }
    const none = await as('read', `/v1/vms/${real}/qmp/qom-get`, { body: get('/none', 'type')[1] });
    expect(none.json()).toMatchObject({ status: 404, code: 'device-not-found' });
    const listed = await as('read', `/v1/vms/${future}/qmp/qom-list-get`, { body: all('/objects/io0', '/machine')[1] });
    expect([listed.status, listed.text]).toEqual([200, expect.stringContaining('32768')]);
    for (const topic of ['block', 'status', 'qom-tree', 'network'])
      expect(
        (await as('read', `/v1/vms/${real}/qmp/human-monitor-command`, { body: line(`info ${topic}`)[1] })).status,
      ).toBe(200);
  });

  it('cost the VM what they did: one command', async () => {
    newer.takeReceived();
    for (const [command, args] of [get('/machine', 'type'), get('io0', 'poll-max-ns'), all('/objects/io0')])
      expect((await as('read', `/v1/vms/${future}/qmp/${command}`, { body: args })).status).toBe(200);
    expect((await as('read', `/v1/vms/${future}/qom/objects/io0`)).status).toBe(200);
    expect(newer.takeReceived()).toEqual(['qom-get', 'qom-get', 'qom-list-get', 'qom-list-get']);
  });
});
