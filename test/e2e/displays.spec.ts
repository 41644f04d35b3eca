import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { echoBootSector, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vmWithDisplay } from './fake-display.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { RfbClient, type RfbOptions } from './rfb-client.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: Qemu;
/** Started with `-vnc none`; its guest writes down what is typed. */
let vm: string;
let typed: () => string;

beforeAll(async () => {
  gateway = await scene.gateway();
  const directory = scene.directory();
  const [floppy, console] = [join(directory, 'floppy'), join(directory, 'console')];
  writeFileSync(floppy, echoBootSector());
  typed = () => readFileSync(console, 'latin1');
  machine = await scene.qemu({
    ...{ machine: 'pc', accel: 'tcg' },
    args: [
      ...['-device', 'VGA', '-device', 'pvpanic', '-debugcon', `file:${console}`, '-vnc', 'none'],
      ...['-drive', `if=floppy,format=raw,file=${floppy}`],
    ],
  });
  vm = await registerVm(gateway, `unix:${machine.socket}`);
  const { headers } = await run(gateway, vm, 'cont');
  const after = String(headers['qmp-event-cursor']);
  await exchange(gateway, `/v1/vms/${vm}/events?after=${after}&event=GUEST_CRASHLOADED&wait=60s&limit=1`);
}, 90_000);
afterAll(() => scene.end());

const as = (level: 'read' | 'operate' | 'configure', more = {}): string =>
  makeToken(gateway, { level, vms: ['*'], name: level, ...more });
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const list = async (of: string) => (await exchange(gateway, `/v1/vms/${of}/displays`)).json();
const open = (of: string, id = 'default', headers = {}) =>
  exchange(gateway, `/v1/vms/${of}/displays/${id}`, { method: 'POST', headers });
const client = (options: RfbOptions = {}, of = vm): RfbClient =>
  scene.keep(new RfbClient(gateway, of, options), ({ socket }) => socket.terminate());
const audited = () =>
  readFileSync(join(gateway.state, 'audit.log'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function started(...args: string[]): Promise<string> {
  const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg', args: ['-device', 'VGA', ...args] });
  return registerVm(gateway, `unix:${qemu.socket}`);
}

describe('displays', () => {
  it('without an address are opened by POST, at a socket in a directory of the gateway alone', async () => {
    expect(await list(vm)).toMatchObject({
      displays: [{ id: 'default', kind: 'vnc', available: false, reason: expect.stringContaining('POST') as string }],
    });
    expect((await client().closed).code).toBe(4404);
    expect(problemOf(await open(vm, 'default', bearer(as('operate'))))).toMatchObject({ code: 'forbidden' });
    const opened = await open(vm, 'default', bearer(as('configure')));
    expect([opened.status, opened.json()]).toMatchObject([200, { id: 'default', available: true, reason: null }]);
    expect(opened.headers).toHaveProperty('qmp-operation');
    const directory = join(gateway.state, 'displays');
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toHaveLength(1);
    expect(await list(vm)).toMatchObject({ displays: [{ available: true, viewers: 0, typist: null, warnings: [] }] });
    // Once more changes nothing.
    expect((await open(vm)).status).toBe(200);
    expect(JSON.stringify(await list(vm))).not.toContain(gateway.state);
  });

  it('at a unix socket are found, with or without a password', async () => {
    const directory = scene.directory();
    const plain = await started('-vnc', `unix:${join(directory, 'plain')}`);
    expect(await list(plain)).toMatchObject({ displays: [{ available: true, auth: 'none', heads: 1 }], reason: null });
    expect(await client({}, plain).handshake()).toEqual({ width: 640, height: 480 });
    const guarded = await started('-vnc', `unix:${join(directory, 'guarded')},password=on`);
    expect(await list(guarded)).toMatchObject({ displays: [{ available: true, auth: 'vnc' }] });
  });

  it('of a VM without any are none, and the answer says what to start it with', async () => {
    const without = await started();
    expect(await list(without)).toEqual({ displays: [], reason: expect.stringContaining('-vnc none') as string });
    const refused = await open(without);
    expect(problemOf(refused)).toMatchObject({ status: 409, code: 'no-display', vm: without, outcome: 'not-sent' });
    expect(refused.json()['detail']).toContain('-vnc unix:/PATH');
    expect(await client({}, without).closed).toEqual({ code: 4404, reason: refused.json()['detail'] });
  });

  it('by another name are not there', async () => {
    expect(problemOf(await open(vm, 'defualt'))).toMatchObject({
      ...{ status: 404, code: 'device-not-found', suggestions: ['default'] },
    });
    expect((await client({ display: 'defualt' }).closed).code).toBe(4404);
  });

  it('that anybody may reach are warned of', async () => {
    const websocket = await started('-vnc', `unix:${join(scene.directory(), 'vnc')},websocket=on`);
    const { displays } = (await list(websocket)) as { displays: { available: boolean; warnings: string[] }[] };
    expect(displays).toMatchObject([{ available: true }]);
    expect(displays[0]?.warnings.join()).toMatch(/0\.0\.0\.0:57\d\d without authentication.*websocket=on/);
  });

  it('encrypted by RFB itself are not available', async () => {
    const credentials = ['-object', 'tls-creds-anon,id=tls0,endpoint=server'];
    const encrypted = await started(...credentials, '-vnc', `unix:${join(scene.directory(), 'vnc')},tls-creds=tls0`);
    const reason = expect.stringMatching(/Its security is vencrypt, which encrypts RFB itself/) as string;
    expect(await list(encrypted)).toMatchObject({ displays: [{ available: false, reason }] });
    expect(problemOf(await open(encrypted))).toMatchObject({ status: 409, code: 'no-display' });
  });

  it('of a VM over the network are not opened', async () => {
    const remote = await registerVm(gateway, 'tcp:127.0.0.1:9', { state: 'waiting' });
    expect(problemOf(await open(remote))).toMatchObject({ status: 503, code: 'vm-unavailable' });
    expect((await client({}, remote).closed).code).toBe(1012);
  });
});

describe('who looks and who types', () => {
  it('keys of one who types reach the guest, of others never', async () => {
    const [typist, looker, reader] = [client(), client({ query: '?view=true' }), client({ token: as('read') })];
    await Promise.all([typist, looker, reader].map((each) => each.look()));
    expect(await list(vm)).toMatchObject({ displays: [{ viewers: 3, typist: 'root' }] });
    for (const each of [looker, reader]) {
      each.type('no');
      each.send(Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x78, 0, 0, 0, 0x2d]));
    }
    typist.type('ye');
    await expect.poll(typed, { timeout: 10_000 }).toBe('ye');
    looker.type('no');
    typist.type('s');
    await expect.poll(typed, { timeout: 10_000 }).toBe('yes');
    for (const { socket } of [typist, looker, reader]) socket.close();
    await expect.poll(() => list(vm)).toMatchObject({ displays: [{ viewers: 0, typist: null }] });
    const closed = () => audited().filter(({ change }) => change === 'display-closed');
    const modes = () => closed().map(({ mode }) => mode);
    await expect.poll(modes).toEqual(expect.arrayContaining(['typing', 'looking', 'looking']));
    expect(closed().at(-1)).toMatchObject({ vm, display: 'default', received: expect.any(Number) as number });
  });

  it('a second typist is told of the first, takes over when asked to, and the first is told', async () => {
    const first = client({ token: as('operate', { name: 'ann' }) });
    await first.handshake();
    const second = await client({ token: as('operate', { name: 'bob' }) }).closed;
    expect(second).toEqual({ code: 4409, reason: 'ann types: ?take=true takes over, ?view=true looks' });
    const taker = client({ token: as('operate', { name: 'bob' }), query: '?take=true' });
    await taker.handshake();
    expect(await first.closed).toEqual({ code: 4409, reason: 'taken over by bob' });
    expect(await list(vm)).toMatchObject({ displays: [{ viewers: 1, typist: 'bob' }] });
    taker.socket.close();
    // Lines are gathered before they are written.
    const taken = () => audited().find(({ change }) => change === 'display-taken-over');
    await expect.poll(taken).toMatchObject({ vm, display: 'default', from: 'ann' });
    await expect.poll(() => list(vm)).toMatchObject({ displays: [{ viewers: 0 }] });
  });

  it('nobody takes over who may not type, and to look and to take exclude each other', async () => {
    expect(await client({ token: as('read'), query: '?take=true' }).closed).toMatchObject({ code: 1008 });
    expect(await client({ query: '?take=true&view=true' }).closed).toMatchObject({ code: 1006 });
    const denied = client({ token: as('operate', { commands: { deny: ['query-vnc-servers'] } }) });
    expect(await denied.closed).toMatchObject({ code: 1008 });
  });
});

describe('the end of a display', () => {
  it('is told to clients that do not speak RFB, or another sub-protocol', async () => {
    const other = client();
    await other.handshake();
    other.send(Buffer.of(7, 0, 0, 0));
    expect(await other.closed).toEqual({ code: 1008, reason: 'the client sent a message of unknown type 7' });
    const texting = client();
    await texting.handshake();
    texting.socket.send('text');
    expect(await texting.closed).toMatchObject({ code: 1008, reason: 'binary frames only' });
    const unspoken = await exchange(gateway, `/v1/vms/${vm}/displays/default/rfb`);
    expect(problemOf(unspoken)).toMatchObject({ status: 426, code: 'upgrade-required' });
    expect(await client({ protocols: ['qmp'] }).closed).toMatchObject({ code: 1006 });
  });

  it('is told where what answers does not speak RFB, and hears nothing of the client', async () => {
    const heard: Buffer[] = [];
    const other = await vmWithDisplay(scene, gateway, (socket) => {
      socket.on('data', (bytes) => heard.push(bytes));
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    const lost = client({}, other);
    lost.socket.once('open', () => lost.send(Buffer.from('RFB 003.008\n')));
    expect(await lost.closed).toEqual({ code: 1014, reason: 'the VM does not speak RFB 3.8 there' });
    const silent = await vmWithDisplay(scene, gateway, (socket) => socket.end());
    expect(await client({}, silent).closed).toEqual({ code: 1012, reason: 'the VM closed its display' });
    expect(Buffer.concat(heard).toString()).toBe('');
  });

  it('is told when QEMU refuses the password', async () => {
    const guarded = await started('-vnc', `unix:${join(scene.directory(), 'vnc')},password=on`);
    const wrong = client({}, guarded);
    wrong.socket.once('message', () => wrong.send(Buffer.from('RFB 003.008\n')));
    await expect.poll(() => wrong.bytes).toBe(14);
    wrong.send(Buffer.of(2));
    await expect.poll(() => wrong.bytes).toBe(30);
    wrong.send(Buffer.alloc(16, 1));
    expect(await wrong.closed).toMatchObject({ code: 1008, reason: expect.stringContaining('password') as string });
  });

  it('is 1012 when the VM goes, 4401 when the credentials do', async () => {
    const directory = scene.directory();
    const qemu = await scene.qemu({
      machine: 'pc',
      accel: 'tcg',
      args: ['-device', 'VGA', '-vnc', `unix:${directory}/vnc`],
    });
    const id = await registerVm(gateway, `unix:${qemu.socket}`);
    const token = as('read', { expires: new Date(Date.now() + 1000) });
    const [going, expiring] = [client({}, id), client({ token }, id)];
    await Promise.all([going.handshake(), expiring.handshake()]);
    expect(await expiring.closed).toMatchObject({ code: 4401 });
    qemu.kill('SIGKILL');
    expect(await going.closed).toMatchObject({ code: 1012 });
    expect((await client({}, id).closed).code).toBe(1012);
  }, 30_000);

  it('comes back after a restart of the gateway, at the socket that QEMU has still', async () => {
    const other = await scene.gateway({ state: scene.directory() });
    const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg', args: ['-device', 'VGA', '-vnc', 'none'] });
    const id = await registerVm(other, `unix:${qemu.socket}`);
    await exchange(other, `/v1/vms/${id}/displays/default`, { method: 'POST' });
    const viewer = new RfbClient(other, id);
    await viewer.handshake();
    expect(await other.stop()).toBe(0);
    expect(await viewer.closed).toMatchObject({ code: 1001 });
    const next = await scene.gateway({ state: other.state });
    await next.vmBecomes(id, 'ready');
    const again = scene.keep(new RfbClient(next, id), ({ socket }) => socket.terminate());
    expect(await again.handshake()).toEqual({ width: 640, height: 480 });
    qemu.kill('SIGKILL');
    await again.closed;
    const [socket = ''] = readdirSync(join(next.state, 'displays'));
    await next.stop();
    const last = await scene.gateway({ state: next.state });
    await expect.poll(() => existsSync(join(last.state, 'displays', socket))).toBe(false);
  }, 60_000);

  it('is bounded: so many displays for one principal, and not longer than somebody types', async () => {
    const settings = { listen: ['127.0.0.1:0'], limits: { displays: 2, displayIdle: '400ms' } };
    const bounded = await scene.gateway({ settings });
    const qemu = await scene.qemu({
      ...{ machine: 'pc', accel: 'tcg' },
      args: ['-device', 'VGA', '-vnc', `unix:${scene.directory()}/vnc`],
    });
    const id = await registerVm(bounded, `unix:${qemu.socket}`);
    const to = (query: string) => new RfbClient(bounded, id, { query });
    const [one, two] = [to('?view=true'), to('')];
    await Promise.all([one.handshake(), two.handshake()]);
    expect(await to('?view=true').closed).toMatchObject({ code: 1013, reason: expect.stringContaining('2') as string });
    expect(await two.closed).toMatchObject({ code: 4410 });
    const three = to('?view=true');
    await three.handshake();
    for (const { socket } of [one, three]) socket.terminate();
  });
});
