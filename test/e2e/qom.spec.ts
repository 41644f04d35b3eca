import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { GatewayClient } from '@qmp-gateway/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
import { exchange, problemOf, type Exchange, type ExchangeOptions } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

const devices = [
  ...['VGA,id=vga0', 'pcie-root-port,id=rp0,chassis=1', 'virtio-rng-pci,id=rng0', 'virtio-net-pci,id=net0'],
  ...['qemu-xhci,id=usb0', 'usb-kbd,id=kbd0,bus=usb0.0', 'virtio-scsi-pci,id=scsi0', 'virtio-balloon-pci,id=balloon0'],
  ...['ich9-intel-hda,id=hda0', 'e1000e,id=net1'],
];

beforeAll(async () => {
  // One large answer that waits for its reader is too much already.
  gateway = await scene.gateway({ settings: { limits: { replyBytes: '1KiB' } } });
  const machine = await scene.qemu({
    machine: 'q35',
    args: [
      '-object',
      'iothread,id=io0,poll-max-ns=9223372036854775807',
      ...devices.flatMap((device) => ['-device', device]),
    ],
  });
  vm = await registerVm(gateway, `unix:${machine.socket}`);
});
afterAll(() => scene.end());

interface QomProperty {
  readonly type: string;
  readonly value?: unknown;
  readonly error?: string;
}
interface QomObject {
  readonly type: string | null;
  readonly properties?: Readonly<Record<string, QomProperty>>;
  readonly links?: Readonly<Record<string, { readonly type: string; readonly target?: string }>>;
  readonly children?: Readonly<Record<string, QomObject>>;
}
interface QomAnswer extends QomObject {
  readonly path: string;
  readonly matches?: readonly string[];
  readonly commands: number;
  readonly complete: boolean;
  readonly cut?: string;
}

const at = (path: string, headers = {}) => exchange(gateway, `/v1/vms/${vm}/qom${path}`, { headers });
const object = async (path: string): Promise<QomAnswer> => {
  const answer = await at(path);
  expect([answer.status, answer.text.slice(0, 500)]).toEqual([200, expect.any(String)]);
  return answer.json() as unknown as QomAnswer;
};
const put = (path: string, body: string, headers = {}): Promise<Exchange> =>
  exchange(gateway, `/v1/vms/${vm}/qom${path}`, { method: 'PUT', body, headers });

function countOf(of: QomObject): number {
  return Object.values(of.children ?? {}).reduce((sum, child) => sum + countOf(child), 1);
}

describe('an object', () => {
  it('is told with its values, parts and links', async () => {
    const net = await object('/machine/peripheral/net0');
    expect(net).toMatchObject({
      ...{ path: '/machine/peripheral/net0', type: 'virtio-net-pci', complete: true },
      properties: { type: { type: 'string', value: 'virtio-net-pci' }, realized: { type: 'bool', value: true } },
      links: { parent_bus: { type: 'link<bus>', target: expect.stringMatching(/^\/machine\//) } },
      children: { 'virtio-backend': { type: 'virtio-net-device' } },
    });
    expect(Object.keys(net.children?.['virtio-backend'] ?? {})).toEqual(['type']);
  });

  it('keeps 64-bit integers as QEMU wrote them, or as strings when asked', async () => {
    expect((await at('/objects/io0')).text).toContain('"poll-max-ns":{"type":"int","value":9223372036854775807}');
    const asStrings = await at('/objects/io0', { Accept: 'application/json;int64=string' });
    expect(asStrings.text).toContain('"value":"9223372036854775807"');
    expect((await at('/objects/io0/poll-max-ns')).text).toBe('9223372036854775807');
  });

  it('is found under the root, encoded names and links', async () => {
    expect(Object.keys((await object('')).children ?? {})).toContain('machine');
    expect((await object('/')).path).toBe('/');
    expect(await object('/machine/unattached/device%5B0%5D')).toMatchObject({ path: '/machine/unattached/device[0]' });
    expect(await object('/machine/unattached/device[0]')).toMatchObject({ type: 'qemu64-x86_64-cpu' });
    expect(await object('/machine/peripheral/net0/parent_bus')).toMatchObject({ type: 'PCIE' });
  });

  it('says why a value cannot be read', async () => {
    const cpu = await object('/machine/unattached/device[0]');
    const unreadable = Object.values(cpu.properties ?? {}).filter(({ error }) => error !== undefined);
    expect(unreadable.length).toBeGreaterThan(0);
  });
});

describe('a tree', () => {
  it('of 300 objects comes in one call', async () => {
    const started = performance.now();
    const tree = await object('/?depth=32');
    const ms = Math.round(performance.now() - started);
    process.stdout.write(
      `a q35 with ${devices.length} devices: ${countOf(tree)} objects, ${tree.commands} commands, ${ms} ms\n`,
    );
    expect(countOf(tree)).toBeGreaterThan(300);
    expect(tree).toMatchObject({ complete: true });
    expect(tree.children?.['machine']?.children?.['peripheral']?.children?.['net0']).toMatchObject({
      type: 'virtio-net-pci',
      properties: { mac: { type: 'str' } },
    });
  });

  it('says when the budget of commands cut it', async () => {
    const tree = await object('/machine?depth=32&budget=20&values=none');
    expect(tree).toMatchObject({ complete: false, cut: 'commands', commands: 20 });
    expect(countOf(tree)).toBeGreaterThan(20);
  });

  it('goes as deep as asked', async () => {
    const tree = await object('/machine/peripheral?depth=1');
    const net = tree.children?.['net0'];
    expect(Object.keys(net?.properties?.['mac'] ?? {})).toEqual(['type']);
    expect(net?.children?.['virtio-backend']).toEqual({ type: 'virtio-net-device' });
    const valued = await object('/machine/peripheral?depth=1&values=all&budget=5000');
    expect(valued.children?.['net0']?.properties?.['realized']?.value).toBe(true);
  });

  it('shows only what fits a type or a text, and what leads there', async () => {
    const networks = await object('/machine?type=*-net-pci&values=all');
    expect(networks.matches).toEqual(['/machine/peripheral/net0']);
    expect(Object.keys(networks.children ?? {})).toEqual(['peripheral']);
    expect(networks.children?.['peripheral']).not.toHaveProperty('properties');
    expect(networks.children?.['peripheral']?.children?.['net0']?.properties?.['mac']?.value).toMatch(/^52:54/);
    const macs = await object('/machine/peripheral?search=MAC');
    expect(macs.matches?.toSorted()).toEqual(
      expect.arrayContaining(['/machine/peripheral/net0/mac', '/machine/peripheral/net1/mac']),
    );
    const memory = await object('/machine/peripheral/net1?type=memory-region');
    expect(memory.matches?.length).toBeGreaterThan(1);
    expect(Object.values(memory.children ?? {})[0]?.properties).toHaveProperty('size');
  });
});

describe('a property', () => {
  it('is set and read back', async () => {
    const set = await put('/objects/io0/poll-grow', '9007199254740993');
    expect([set.status, set.text]).toEqual([204, '']);
    expect(set.headers['qmp-vm-epoch']).toBeDefined();
    expect((await at('/objects/io0/poll-grow')).text).toBe('9007199254740993');
  });

  it('is set only by whom qom-set is allowed', async () => {
    const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'configure', vms: ['*'] })}` };
    const refused = await put('/objects/io0/poll-grow', '1', headers);
    expect(problemOf(refused)).toMatchObject({ code: 'forbidden', command: 'qom-set', outcome: 'not-sent' });
    expect((await at('/objects/io0/poll-grow', headers)).text).not.toBe('1');
  });

  it('is rehearsed by a dry run', async () => {
    const rehearsed = await put('/objects/io0/poll-grow', '1e3', { 'Dry-Run': 'true' });
    expect(rehearsed.json()).toEqual({
      wouldSend: { execute: 'qom-set', arguments: { path: '/objects/io0', property: 'poll-grow', value: 1000 } },
      class: 'host',
    });
    expect(rehearsed.text).toContain('"value":1e3');
  });

  it('tells what is not there, not a value or not settable', async () => {
    const missing = await at('/objects/io0/poll-max');
    expect(problemOf(missing)).toMatchObject({
      ...{ code: 'device-not-found', outcome: 'refused', errors: [{ suggestions: ['poll-max-ns'] }] },
    });
    expect(problemOf(await at('/nowhere/at/all'))).toMatchObject({ code: 'device-not-found' });
    expect(problemOf(await put('/machine/peripheral/net0/realised', 'true'))).toMatchObject({ code: 'command-failed' });
    expect(problemOf(await put('/machine/type', '{'))).toMatchObject({ code: 'malformed-json' });
    expect(problemOf(await at('/machine%2Fperipheral'))).toMatchObject({ code: 'invalid-request' });
    expect(problemOf(await at('/machine?depht=1'))).toMatchObject({ errors: [{ suggestions: ['depth'] }] });
    expect(problemOf(await at('/machine?depth=33&values=some'))).toMatchObject({
      errors: [
        { in: 'query', pointer: '/depth' },
        { in: 'query', pointer: '/values' },
      ],
    });
    expect((await put('', '1')).status).toBe(405);
    expect((await at('/%zz')).status).toBe(404);
  });
});

describe('the client', () => {
  it('has objects, properties and integers as they are', async () => {
    const web = new GatewayClient({ url: gateway.url, token: gateway.token }).vm(vm);
    const found = await web.qomObject('/machine', { type: 'e1000e' });
    expect(found).toMatchObject({ path: '/machine', complete: true, matches: ['/machine/peripheral/net1'] });
    await web.setQomProperty('/objects/io0/poll-max-ns', 9223372036854775806n);
    expect(await web.qomProperty('/objects/io0/poll-max-ns')).toBe(9223372036854775806n);
  });
});

describe('the commands behind a tree', () => {
  it('are audited as those of the caller and leave no operations', async () => {
    const operations = async () => {
      const told = (await exchange(gateway, `/v1/vms/${vm}/operations`)).json() as { operations: { id: string }[] };
      return told.operations.map(({ id }) => id);
    };
    const before = await operations();
    const answer = await at('/machine/peripheral?depth=2', { 'X-Request-Id': 'the-tree' });
    expect(await operations()).toEqual(before);
    expect(answer.headers).toMatchObject({ 'qmp-vm-epoch': expect.any(String) as unknown });
    expect(answer.headers['qmp-operation']).toBeUndefined();
    const audited = () =>
      readFileSync(`${gateway.state}/audit.log`, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"request":"the-tree"'));
    await expect.poll(() => audited().length, { timeout: 5_000 }).toBe(answer.json()['commands']);
    expect(JSON.parse(audited()[0] ?? '')).toMatchObject({ entrance: 'resource', command: 'qom-list', class: 'read' });
  });

  it('are refused to whom they are denied', async () => {
    const headers = {
      Authorization: `Bearer ${makeToken(gateway, { level: 'host', vms: ['*'], commands: { deny: ['qom-list'] } })}`,
    };
    expect(problemOf(await at('/machine', headers))).toMatchObject({ code: 'forbidden', command: 'qom-list' });
  });

  it('are for VMs of the caller', async () => {
    const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'host', vms: ['other-*'] })}` };
    expect(problemOf(await at('/machine', headers))).toMatchObject({ code: 'vm-not-found' });
  });
});

describe('while answers wait for slow readers', () => {
  it('no resource begins commands, and the object tree is one of the answers', async () => {
    const { port } = new URL(gateway.url);
    const get = (path: string) =>
      `GET /v1/vms/${vm}${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${gateway.token ?? ''}\r\n\r\n`;
    const reader = scene.keep(connect(Number(port), '127.0.0.1'), (socket) => socket.destroy());
    // The answers of a connection leave in their order, and the first one does not come.
    reader.write(get('/events?event=NEVER&wait=60s') + get('/qom/?depth=32&values=all&budget=5000'));
    while ((await at('/')).status === 200);
    const requests: [path: string, options?: ExchangeOptions][] = [
      ['/qom/machine'],
      ['/qom/machine/peripheral/net0/mac', { method: 'PUT', body: '"x"' }],
      ['/screen.png'],
      ['/keys', { body: '{"text":"x"}' }],
      ['/agent/exec', { body: '{"path":"/bin/true"}' }],
      ['/agent/files?path=/x'],
      ['/operations/none', { method: 'DELETE' }],
    ];
    for (const [path, options] of requests) {
      const answer = await exchange(gateway, `/v1/vms/${vm}${path}`, options);
      expect([path, answer.status]).toEqual([path, 429]);
      expect(problemOf(answer)).toMatchObject({ code: 'too-many-requests', outcome: 'not-sent' });
    }
    expect((await exchange(gateway, `/v1/vms/${vm}/operations`)).status).toBe(200);
    reader.destroy();
    while ((await at('/')).status === 429);
    expect((await at('/')).status).toBe(200);
  });
});
