import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { serialEchoBootSector, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { SerialReader } from './serial-reader.js';

interface Row {
  id: string;
  kind: string;
  available: boolean;
  reason: string | null;
  attached: boolean;
  readers: number;
  typist: string | null;
}

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: Qemu;
let vm: string;

const chardev = (id: string, file: string) => `socket,id=${id},path=${file},server=on,wait=off`;

async function echoMachine(args: readonly string[] = []): Promise<Qemu> {
  const directory = scene.directory();
  const floppy = path.join(directory, 'floppy');
  writeFileSync(floppy, serialEchoBootSector());
  return scene.qemu({
    ...{ machine: 'pc', accel: 'tcg', directory },
    args: [
      ...['-drive', `if=floppy,format=raw,file=${floppy}`],
      ...['-chardev', chardev('s0', path.join(directory, 's0')), '-serial', 'chardev:s0'],
      ...args,
    ],
  });
}

async function rows(of = vm, at = gateway): Promise<Row[]> {
  const { serials } = (await exchange(at, `/v1/vms/${of}/serials`)).json() as { serials: Row[] };
  return serials;
}

const row = async (id: string, of = vm): Promise<Row | undefined> => (await rows(of)).find((each) => each.id === id);
const as = (level: 'read' | 'operate', name: string = level) => makeToken(gateway, { level, vms: ['*'], name });
const readers: SerialReader[] = [];

async function open(id: string, options = {}, of = vm): Promise<SerialReader> {
  const reader = await SerialReader.open(gateway, of, id, options);
  readers.push(reader);
  return reader;
}

const audited = (change: string) =>
  readFileSync(path.join(gateway.state, 'audit.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"${change}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  gateway = await scene.gateway();
  const directory = scene.directory();
  machine = await echoMachine([
    ...['-chardev', 'pty,id=p0', '-device', 'isa-serial,chardev=p0,id=com2,index=1'],
    ...['-chardev', 'ringbuf,id=r0,size=65536', '-device', 'isa-serial,chardev=r0,id=com3,index=2,iobase=0x3e8,irq=5'],
    ...['-device', 'virtio-serial', '-chardev', chardev('v0', path.join(directory, 'far'))],
    ...['-device', 'virtconsole,chardev=v0,id=vc0'],
    ...['-chardev', chardev('ga', path.join(directory, 'ga'))],
    ...['-device', 'virtserialport,chardev=ga,id=ga0,name=org.qemu.guest_agent.0'],
    ...[
      '-chardev',
      'socket,id=t0,host=127.0.0.1,port=0,server=on,wait=off',
      '-device',
      'isa-debugcon,chardev=t0,id=dbg',
    ],
    ...['-chardev', chardev('hmp', path.join(directory, 'hmp')), '-mon', 'chardev=hmp,mode=readline'],
  ]);
  vm = await registerVm(gateway, `unix:${machine.socket}`);
  await run(gateway, vm, 'cont');
  await rows();
  const booted = await open('s0');
  await booted.says('>');
  await booted.close();
}, 90_000);
afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});
afterAll(() => scene.end());

describe('the list of serial lines', () => {
  it('has those of serial devices, with why one is not available; never monitors or agents', async () => {
    const found = Object.fromEntries(
      (await rows()).map(({ id, kind, available, attached }) => [id, [kind, available, attached]]),
    );
    expect(found).toEqual({
      s0: ['socket', true, true],
      p0: ['pty', true, false],
      r0: ['ringbuf', true, false],
      v0: ['socket', false, false],
      t0: ['socket', false, false],
    });
    expect((await row('v0'))?.reason).toContain('serials.paths');
    expect((await row('t0'))?.reason).toContain('no unix socket');
  });

  it('is empty for a VM without any, and says why', async () => {
    const bare = await scene.qemu();
    const other = await registerVm(gateway, `unix:${bare.socket}`);
    expect((await exchange(gateway, `/v1/vms/${other}/serials`)).json()).toEqual({
      serials: [],
      reason: expect.stringContaining('no character device'),
    });
  });
});

describe('a serial line over WebSocket', () => {
  it('shows what was said before, then what is said, byte for byte', async () => {
    const first = await open('s0');
    await first.tells({ typist: null, types: true });
    const bytes = Buffer.from(Array.from({ length: 2048 }, (_, at) => at % 256));
    first.socket.send(bytes);
    await first.until(({ output }) => output.includes(bytes));
    const second = await open('s0');
    await second.until(({ received }) => received >= first.received);
    expect(second.output.equals(first.output)).toBe(true);
    first.type('live');
    await second.says('live');
    const kept = await exchange(gateway, `/v1/vms/${vm}/serials/s0?bytes=4`);
    expect([kept.text, kept.headers['content-type']]).toEqual(['live', 'text/plain; charset=utf-8']);
    const third = await open('s0', { query: `?after=${String(kept.headers['serial-position'])}` });
    first.type('!');
    await third.says('!');
    expect(third.output.toString()).toBe('!');
    await Promise.all([first.close(), second.close(), third.close()]);
  });

  it('has one typist, whom another may relieve, and both are told', async () => {
    const ann = await open('s0', { token: as('operate', 'ann') });
    const bob = await open('s0', { token: as('operate', 'bob') });
    ann.type('from ann;');
    await bob.tells({ typist: 'ann', you: false });
    bob.type('in vain;');
    bob.ask({ take: true });
    await ann.tells({ typist: 'bob', you: false });
    expect((await row('s0'))?.typist).toBe('bob');
    ann.type('too late;');
    bob.type('from bob;');
    await ann.says('from bob;');
    expect(bob.output.toString('latin1')).not.toMatch(/in vain|too late/);
    await bob.close();
    await ann.until(({ news }) => news.at(-1)?.['typist'] === null);
    await ann.close();
    await expect
      .poll(() => audited('serial-closed').map(({ principal }) => principal))
      .toContain(audited('serial-taken-over')[0]?.['principal']);
    expect(audited('serial-taken-over')).toMatchObject([{ vm, serial: 's0', from: 'ann' }]);
    expect(JSON.stringify(audited('serial-closed'))).not.toContain('from bob');
  });

  it.each([
    ['of level read', () => ({ token: as('read') })],
    ['opened to look', () => ({ query: '?view=true' })],
  ])('%s passes no key on', async (_, options) => {
    const looker = await open('s0', options());
    await looker.tells({ types: false });
    looker.type('never;');
    await looker.tells({ refused: 'This connection only looks.' });
    looker.ask({ take: true });
    const typist = await open('s0');
    typist.type('typed;');
    await looker.says('typed;');
    expect(looker.output.toString('latin1')).not.toContain('never;');
    await Promise.all([looker.close(), typist.close()]);
  });

  it('passes a break on', async () => {
    const reader = await open('s0');
    reader.type('before the break');
    await reader.says('before the break');
    const before = reader.output.length;
    reader.ask({ break: true });
    // A UART shows a break as a zero.
    await reader.until(({ output }) => output.subarray(before).includes(0));
    await reader.close();
  });

  it.each(['{"give":true}', 'take', '{"take":true,"break":true}'])('ends with 1008 at %s', async (text) => {
    const reader = await open('s0');
    reader.socket.send(text);
    expect((await reader.closed).code).toBe(1008);
  });

  it.each([
    ['nobody', 4404, 'The VM has no serial line "nobody".'],
    ['v0', 1013, 'serials.paths'],
  ])('of %s is closed with %i and the reason', async (id, code, reason) => {
    const reader = await open(id);
    expect(await reader.closed).toEqual({ code, reason: expect.stringContaining(reason) as string });
    expect(reader.news).toEqual([]);
  });

  it('whose id is mistyped has the nearest', async () => {
    const answer = await exchange(gateway, `/v1/vms/${vm}/serials/s1`);
    expect([answer.status, answer.json()]).toMatchObject([
      404,
      { code: 'device-not-found', outcome: 'not-sent', suggestions: expect.arrayContaining(['s0']) as string[] },
    ]);
  });

  it('is looked at by credentials that may not send a break, which cannot type', async () => {
    const commands = { deny: ['chardev-send-break'] };
    const looker = await open('s0', {
      token: makeToken(gateway, { level: 'operate', vms: ['*'], name: 'no', commands }),
    });
    await looker.tells({ types: false });
    await looker.close();
  });

  it('takes no query that it does not know, and no position that is none', async () => {
    await expect(open('s0', { query: '?from=1' })).rejects.toThrow('400 invalid-request');
    await expect(open('s0', { query: '?after=1' })).rejects.toThrow('400 invalid-request');
    expect(problemOf(await exchange(gateway, `/v1/vms/${vm}/serials/s0/stream`))).toMatchObject({ status: 426 });
  });

  it('after a position of another gateway shows all that is kept, and that something may be missing', async () => {
    const reader = await open('s0', { query: '?after=abc-1.5' });
    await reader.tells({ gap: null });
    await reader.close();
  });
});

describe('other kinds of lines', () => {
  it('a pty is attached while somebody looks', async () => {
    const reader = await open('p0');
    await expect.poll(async () => (await row('p0'))?.attached).toBe(true);
    reader.type('into the void');
    await reader.close();
    await expect.poll(async () => (await row('p0'))?.attached).toBe(false);
  });

  it('a ring buffer is read while somebody looks', async () => {
    await run(gateway, vm, 'human-monitor-command', '{"command-line":"o /b 0x3e8 0x41"}');
    const reader = await open('r0');
    await reader.says('A');
    await reader.close();
  });
});

describe('a socket that is attached while somebody looks', () => {
  it('is had again at once, also when the VM was asked meanwhile', async () => {
    const directory = scene.directory();
    const port = ['-device', 'virtio-serial', '-device', 'virtserialport,chardev=p1,name=com.example.port'];
    const ported = await scene.qemu({
      ...{ machine: 'pc', accel: 'tcg', directory },
      args: ['-chardev', chardev('p1', path.join(directory, 'p1')), ...port],
    });
    const id = await registerVm(gateway, `unix:${ported.socket}`);
    const first = await open('p1', {}, id);
    await expect.poll(async () => (await row('p1', id))?.attached).toBe(true);
    await first.close();
    const second = await open('p1', {}, id);
    await second.tells({ types: true });
    await second.close();
  });
});

describe('a socket that the gateway cannot have', () => {
  it('is refused while another client holds it, and had when that has gone', async () => {
    const directory = scene.directory();
    const socket = path.join(directory, 'h0');
    const held = await scene.qemu({
      ...{ machine: 'pc', accel: 'tcg', directory },
      args: ['-chardev', chardev('h0', socket), '-device', 'isa-serial,chardev=h0,id=com1'],
    });
    const other: Socket = connect(socket);
    await once(other, 'connect');
    const id = await registerVm(gateway, `unix:${held.socket}`);
    await expect.poll(async () => (await row('h0', id))?.reason).toContain('Another client');
    expect(await (await open('h0', {}, id)).closed).toMatchObject({ code: 1013 });
    other.destroy();
    await expect.poll(async () => (await row('h0', id))?.attached).toBe(true);
    const reader = await open('h0', {}, id);
    await held.stop();
    expect((await reader.closed).code).toBe(1012);
  });
});
