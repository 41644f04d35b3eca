import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '@qmp-gateway/client';
import { echoBootSector, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run, runningOperations } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';
import { expectScreenInBrowser } from './screen-in-browser.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: Qemu;
let vm: string;
/** What the guest read from its keyboard. */
let typed: () => string;

beforeAll(async () => {
  const state = join(scene.directory(), 'state');
  mkdirSync(join(state, 'pictures', 'screen-old'), { recursive: true });
  writeFileSync(join(state, 'pictures', 'screen-old', 'picture'), 'left by a gateway that was killed');
  gateway = await scene.gateway({ state, settings: { listen: ['127.0.0.1:0'], hostCommands: false } });
  const directory = scene.directory();
  const [floppy, console] = [join(directory, 'floppy'), join(directory, 'console')];
  writeFileSync(floppy, echoBootSector());
  machine = await scene.qemu({
    machine: 'pc',
    accel: 'tcg',
    args: [
      ...['-device', 'VGA,id=vga0', '-device', 'pvpanic', '-debugcon', `file:${console}`],
      ...['-drive', `if=floppy,format=raw,file=${floppy}`],
    ],
  });
  vm = await registerVm(gateway, `unix:${machine.socket}`);
  const { headers } = await run(gateway, vm, 'cont');
  const after = String(headers['qmp-event-cursor']);
  const listening = await exchange(
    gateway,
    `/v1/vms/${vm}/events?after=${after}&event=GUEST_CRASHLOADED&wait=60s&limit=1`,
  );
  expect(listening.json()).toMatchObject({ events: [{ event: 'GUEST_CRASHLOADED' }] });
  typed = () => readFileSync(console, 'latin1');
}, 90_000);
afterAll(() => scene.end());

const as = (level: 'read' | 'operate', commands = {}) => ({
  Authorization: `Bearer ${makeToken(gateway, { level, vms: ['*'], ...commands })}`,
});
const keys = (body: object, headers = {}): Promise<Exchange> =>
  exchange(gateway, `/v1/vms/${vm}/keys`, { body: JSON.stringify(body), headers });

interface Picture {
  status: number;
  type: string | null;
  operation: string | null;
  png: Buffer;
}

async function screen(query = '', headers = {}): Promise<Picture> {
  const answer = await gateway.fetch(`/v1/vms/${vm}/screen.png${query}`, { headers });
  return {
    status: answer.status,
    type: answer.headers.get('Content-Type'),
    operation: answer.headers.get('QMP-Operation'),
    png: Buffer.from(await answer.arrayBuffer()),
  };
}

describe('the screen', () => {
  it('is a PNG for level read, also with hostCommands off, and leaves no file', async () => {
    expect(existsSync(join(gateway.state, 'pictures', 'screen-old'))).toBe(false);
    const { status, type, png } = await screen('', as('read'));
    expect([status, type, png.toString('latin1', 1, 4)]).toEqual([200, 'image/png', 'PNG']);
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([720, 400]);
    expect((await screen('?device=vga0&head=0')).png.subarray(0, 24)).toEqual(png.subarray(0, 24));
    expect(readdirSync(join(gateway.state, 'pictures'))).toEqual([]);
    const own = await run(gateway, vm, 'screendump', '{"filename":"/nowhere/picture"}');
    expect(problemOf(own)).toMatchObject({ code: 'forbidden' });
  });

  it('is seen in a browser', async () => {
    await expectScreenInBrowser(gateway.url, gateway.token ?? '', vm);
  });

  it('says what is not there or not allowed', async () => {
    const at = async (query: string, headers = {}) =>
      problemOf(await exchange(gateway, `/v1/vms/${vm}/screen.png${query}`, { headers }));
    expect(await at('?device=nobody')).toMatchObject({ code: 'device-not-found', qmp: { class: 'DeviceNotFound' } });
    expect(await at('?device=vga0&head=7')).toMatchObject({ code: 'command-failed' });
    expect(await at('?head=first')).toMatchObject({ code: 'invalid-request' });
    expect(await at('?filename=/etc/passwd')).toMatchObject({ code: 'invalid-request' });
    expect(await at('', as('read', { commands: { deny: ['screendump'] } }))).toMatchObject({ code: 'forbidden' });
    expect(readdirSync(join(gateway.state, 'pictures'))).toEqual([]);
  });

  it('is no-display of a VM without one, whose row says so, until a display is plugged in', async () => {
    const bare = await scene.qemu({ machine: 'pc', accel: 'tcg' });
    const open = await scene.gateway();
    const id = await registerVm(open, `unix:${bare.socket}`);
    const at = (path = '') => exchange(open, `/v1/vms/${id}${path}`);
    expect((await at()).json()['display']).toBe(false);
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()['display']).toBe(true);
    const refused = await at('/screen.png');
    expect(problemOf(refused)).toMatchObject({ status: 409, code: 'no-display', vm: id, command: 'screendump' });
    expect(String(refused.json()['detail'])).toContain('-device virtio-gpu-pci');
    const { status, headers } = await run(open, id, 'device_add', '{"driver":"secondary-vga","id":"late"}');
    expect(status).toBe(200);
    const after = String(headers['qmp-event-cursor']);
    const told = await at(`/events?after=${after}&event=vm-changed&wait=30s&limit=1`);
    expect(told.json()).toMatchObject({ events: [{ data: { display: true } }] });
    expect((await open.fetch(`/v1/vms/${id}/screen.png`)).status).toBe(200);
    // Known also to whoever comes later, though 7.2 does not list it.
    await open.stop();
    const later = await registerVm(gateway, `unix:${bare.socket}`);
    expect((await exchange(gateway, `/v1/vms/${later}`)).json()).toMatchObject({ display: true });
  });

  it('that cannot be written is no fault of the display', async () => {
    // Where it is now, the gateway's directory is not.
    const elsewhere = ['-vga', 'std', '-chroot', scene.directory()];
    const walled = await scene.qemu({ machine: 'pc', accel: 'tcg', args: elsewhere });
    const id = await registerVm(gateway, `unix:${walled.socket}`);
    const refused = await exchange(gateway, `/v1/vms/${id}/screen.png`);
    expect(problemOf(refused)).toMatchObject({ status: 422, code: 'command-failed' });
    expect((await exchange(gateway, `/v1/vms/${id}`)).json()).toMatchObject({ display: true });
  });

  it('of other VMs is had while one answers nobody, however many ask it', async () => {
    const silent = await scene.qemu();
    const silentVm = await registerVm(gateway, `unix:${silent.socket}`);
    silent.kill('SIGSTOP');
    const asked = Array.from({ length: 20 }, () => exchange(gateway, `/v1/vms/${silentVm}/screen.png`));
    while ((await runningOperations(gateway, silentVm)) < asked.length);
    // As a page with thumbnails asks for them, more at once than are read at once.
    const seen = await Promise.all(Array.from({ length: 20 }, () => screen()));
    expect(seen.map(({ status }) => status)).toEqual(Array(20).fill(200));
    silent.kill('SIGKILL');
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([502, 503]));
    expect(readdirSync(join(gateway.state, 'pictures'))).toEqual([]);
  });

  it('of a VM of another host that is away may be had later', async () => {
    const remote = await registerVm(gateway, 'tcp:127.0.0.1:9', { state: 'waiting' });
    const refused = await exchange(gateway, `/v1/vms/${remote}/screen.png`);
    expect([refused.status, problemOf(refused)]).toMatchObject([503, { code: 'vm-unavailable', vm: remote }]);
  });
});

// Only root can start a QEMU as another user. It is then in a group of its own, as libvirt's are.
describe.runIf(process.getuid?.() === 0)('the screen of a QEMU that runs as another user', () => {
  const asNobody = async (): Promise<Qemu> =>
    scene.qemu({ machine: 'pc', accel: 'tcg', args: ['-device', 'VGA', '-runas', 'nobody'] });

  it('is seen by way of a directory that its group may write to, and leaves no file', async () => {
    const directory = scene.directory();
    chmodSync(directory, 0o711);
    const dir = join(directory, 'pictures');
    const nobodys = execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }).trim();
    const other = await scene.gateway({ settings: { pictures: { dir, group: nobodys } } });
    const id = await registerVm(other, `unix:${(await asNobody()).socket}`);
    const answer = await other.fetch(`/v1/vms/${id}/screen.png`);
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'image/png']);
    expect(Buffer.from(await answer.arrayBuffer()).toString('latin1', 1, 4)).toBe('PNG');
    expect(readdirSync(dir)).toEqual([]);
    expect(statSync(dir)).toMatchObject({ gid: Number(nobodys) });
  });

  it('is refused without it, with the name of the setting', async () => {
    const id = await registerVm(gateway, `unix:${(await asNobody()).socket}`);
    const refused = await exchange(gateway, `/v1/vms/${id}/screen.png`);
    expect(problemOf(refused)).toMatchObject({ code: 'command-failed' });
    expect(refused.json()['detail']).toMatch(/Permission denied.*the setting pictures\.$/);
  });
});

describe('keys', () => {
  it('arrive as they were typed, and are seen on the screen', async () => {
    const text = 'Hello, World! `~@#$%^&*()_+-={}[]|\\:";\'<>?,./ 0123456789';
    const { png: before } = await screen();
    expect((await keys({ text }, as('operate'))).status).toBe(204);
    await expect.poll(typed, { timeout: 10_000 }).toBe(text);
    expect((await screen()).png.equals(before)).toBe(false);
    expect((await keys({ text: 'x\n' })).status).toBe(204);
    await expect.poll(typed, { timeout: 10_000 }).toBe(`${text}x\r`);
  });

  it('of two requests at once do not mix', async () => {
    const before = typed();
    const answers = await Promise.all(['a', 'b'].map((letter) => keys({ text: letter.repeat(20) })));
    expect(answers.map(({ status }) => status)).toEqual([204, 204]);
    await expect.poll(typed, { timeout: 10_000 }).toHaveLength(before.length + 40);
    expect(typed().slice(before.length)).toMatch(/^(a{20}b{20}|b{20}a{20})$/);
  });

  it('are pressed together', async () => {
    const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    expect((await keys({ keys: ['ctrl', 'alt', 'delete'] })).status).toBe(204);
    const page = await exchange(gateway, `/v1/vms/${vm}/events?after=${cursor}&event=RESET&wait=30s&limit=1`);
    expect(page.json()).toMatchObject({ events: [{ event: 'RESET', data: { guest: true } }] });
  });

  it('are refused where they would be lost, are not known or not allowed', async () => {
    expect(problemOf(await keys({ text: 'ä' }))).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/text' }],
    });
    expect(problemOf(await keys({ keys: ['ctrl', 'entre'] }))).toMatchObject({
      ...{ code: 'invalid-request', command: 'send-key' },
      errors: [{ pointer: '/keys/1' }],
    });
    expect(problemOf(await keys({ text: 'a' }, as('read')))).toMatchObject({ code: 'forbidden', command: 'send-key' });
    expect((await exchange(gateway, `/v1/vms/${vm}/keys`)).headers['allow']).toBe('POST');
    await run(gateway, vm, 'stop');
    expect(problemOf(await keys({ text: 'a' }))).toMatchObject({ code: 'vm-not-running', outcome: 'not-sent' });
    await run(gateway, vm, 'cont');
  });

  it('end at the deadline of the request, which says how much was typed', async () => {
    const late = problemOf(await keys({ text: 'a'.repeat(100), hold: '50ms' }, { 'Request-Timeout': '350ms' }));
    expect(late).toMatchObject({ status: 504, code: 'deadline-exceeded', outcome: 'unknown', retryable: false });
    const short = problemOf(await keys({ keys: ['a'], hold: '1s' }, { 'Request-Timeout': '1s' }));
    expect(short).toMatchObject({ code: 'deadline-exceeded', outcome: 'not-sent', retryable: true });
  });

  it('and pictures are audited with the trace of their request, a line for each command', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const typed = await keys({ text: 'ab' }, { 'X-Request-Id': 'keys', Traceparent: traceparent });
    const seen = await screen('', { 'X-Request-Id': 'screen', Traceparent: traceparent });
    expect([typed.status, seen.status]).toEqual([204, 200]);
    // Neither is kept as an operation.
    expect([typed.headers['qmp-operation'], seen.operation]).toEqual([undefined, null]);
    const records = () =>
      readFileSync(join(gateway.state, 'audit.log'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((record) => ['keys', 'screen'].includes(String(record['request'])));
    await expect.poll(() => records().length, { timeout: 5_000 }).toBe(3);
    const line = { traceparent, vm, entrance: 'resource' };
    expect(records()).toMatchObject([
      { ...line, request: 'keys', command: 'send-key', class: 'operate' },
      { ...line, request: 'keys', command: 'send-key', class: 'operate' },
      { ...line, request: 'screen', command: 'screendump', class: 'read', rule: 'screen' },
    ]);
  });
});

it('the client has screen and keys', async () => {
  const web = new GatewayClient({ url: gateway.url, token: gateway.token }).vm(vm);
  expect(Buffer.from(await web.screen({ device: 'vga0' })).toString('latin1', 1, 4)).toBe('PNG');
  await web.type('a', { hold: '5ms' });
  await web.press(['shift', 'b'], { hold: 0.01 });
  await expect(web.press(['nokey'])).rejects.toMatchObject({ code: 'invalid-request' });
});
