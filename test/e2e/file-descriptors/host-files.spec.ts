import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blocksOf } from '../documented-commands.js';
import { makeToken, nextSession, registerVm, run } from '../gateway-scene.js';
import { clientHome, runClient } from '../command-line/client-process.js';
import { nextSseEvents, openLines } from '../event-readers.js';
import { exchange, problemOf } from '../http-exchange.js';
import { DescriptorProxy } from './descriptor-proxy.js';
import { buildAddon, DescriptorScene, descriptorsOf, knownFds, openFiles, passed, postFd } from './descriptor-scene.js';

const scene = new DescriptorScene();
let image: string;

beforeAll(buildAddon);
beforeEach(() => (image = scene.image()));
afterEach(() => scene.end());

const blockdev = (filename: string, name = 'd0') =>
  JSON.stringify({ driver: 'raw', 'node-name': name, file: { driver: 'file', filename } });

/** A QEMU of another user, and a gateway that may open the image for it. */
async function stage(hostPaths: readonly string[] = [image]) {
  const state = path.join(scene.directory(), 'state');
  const gateway = await scene.gateway({ state, settings: { hostPaths } });
  const qemu = await scene.qemuOfNobody();
  const proxy = await DescriptorProxy.before(qemu.socket, scene);
  const vm = await registerVm(gateway, `unix:${proxy.path}`);
  // QEMU 7.2 closes descriptors of its sets only while the guest runs.
  const resume = () => run(gateway, vm, 'cont');
  return { gateway, qemu, proxy, vm, state, resume };
}

it('the page has lines that work as they stand', async () => {
  const { gateway, vm, resume } = await stage();
  await resume();
  const page = blocksOf('docs/file-descriptors.md').find(({ notRun }) => notRun === 'descriptors');
  const lines = (page?.text ?? '').replaceAll('/var/lib/images/data.raw', image).replaceAll('/web-1/', `/${vm}/`);
  const script = `set -euo pipefail\ncurl() { command curl --fail-with-body --max-time 60 "$@"; }\n${lines}`;
  const bash = spawn('bash', ['-c', script], {
    env: { PATH: process.env['PATH'], GW: gateway.url, AUTH: `Authorization: Bearer ${gateway.token}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  scene.keep(bash, () => bash.kill());
  const [stdout, stderr, [status]] = await Promise.all([text(bash.stdout), text(bash.stderr), once(bash, 'close')]);
  expect({ status: status as unknown, stdout, stderr }).toEqual({ status: 0, stdout: '{}{}', stderr: '' });
  expect((await run(gateway, vm, 'query-named-block-nodes')).text).toContain('"node-name": "data"');
});

describe('files of the host for a QEMU of another user', () => {
  it('a disk image by add-fd, used by blockdev-add, and removed', async () => {
    const { gateway, vm, state, resume } = await stage();
    await resume();
    expect(problemOf(await run(gateway, vm, 'blockdev-add', blockdev(image)))).toMatchObject({
      code: 'command-failed',
    });
    const before = openFiles(gateway);
    const answer = await postFd(gateway, vm, { path: image, flags: ['read', 'write'], fdset: true, opaque: 'a disk' });
    const given = answer.json();
    expect([answer.status, given]).toEqual([
      200,
      {
        ...{ use: `/dev/fdset/${String(given['fdset'])}`, names: [], path: image },
        ...{ fdset: expect.any(Number), fd: expect.any(Number), epoch: answer.headers['qmp-vm-epoch'] },
      },
    ]);
    expect((await run(gateway, vm, 'blockdev-add', blockdev(String(given['use'])))).text).toBe('{}');
    const nodes = (await run(gateway, vm, 'query-named-block-nodes')).text;
    expect(nodes).toContain('"node-name": "d0"');
    expect(await knownFds(gateway, vm)).toEqual([{ use: given['use'], epoch: given['epoch'], present: true }]);
    expect((await run(gateway, vm, 'blockdev-del', '{"node-name":"d0"}')).status).toBe(200);
    const removal = JSON.stringify({ 'fdset-id': given['fdset'], fd: given['fd'] });
    expect((await run(gateway, vm, 'remove-fd', removal)).text).toBe('{}');
    expect(await knownFds(gateway, vm)).toEqual([]);
    expect((await run(gateway, vm, 'query-fdsets')).text).toBe('[]');
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
    expect(await passed(gateway)).toBe(1);
    await gateway.stop();
    const lines = readFileSync(path.join(state, 'audit.log'), 'utf8').split('\n');
    expect(
      lines.filter((line) => line.includes('"descriptor-passed"')).map((line) => JSON.parse(line) as object),
    ).toEqual([expect.objectContaining({ vm, path: image, use: given['use'], flags: ['read', 'write'] })]);
  });

  it('after a reconnect the truth is told', async () => {
    const { gateway, proxy, vm, resume } = await stage();
    await resume();
    const set = (await postFd(gateway, vm, { path: image, fdset: true })).json();
    const name = (await postFd(gateway, vm, { path: image, name: 'image' })).json();
    expect(name).toMatchObject({ use: 'image', names: ['image'], fdset: null, fd: null });
    proxy.cut();
    await nextSession(gateway, vm, String(set['epoch']));
    // Nobody used the set, and the only client of the monitor was gone for a moment.
    const gone = { use: set['use'], epoch: set['epoch'], present: false };
    expect(await knownFds(gateway, vm)).toEqual([{ use: 'image', epoch: set['epoch'], present: null }, gone]);
    for (const [command, args] of [
      ['blockdev-add', blockdev(String(set['use']))],
      // However often it is tried.
      ['blockdev-add', blockdev(String(set['use']))],
      ['netdev_add', '{"type":"socket","id":"n0","fd":"image"}'],
    ] as const)
      expect([command, problemOf(await run(gateway, vm, command, args))]).toEqual([
        command,
        expect.objectContaining({ status: 409, code: 'descriptor-lost', outcome: 'not-sent', vm, command }),
      ]);
    expect((await postFd(gateway, vm, { path: image, name: 'image' })).status).toBe(200);
    // It is the VM that refuses now: a file is no socket.
    expect(problemOf(await run(gateway, vm, 'netdev_add', '{"type":"socket","id":"n0","fd":"image"}'))).toMatchObject({
      code: 'command-failed',
    });
    // Which has used the name up.
    expect(await knownFds(gateway, vm)).toEqual([gone]);
    expect((await postFd(gateway, vm, { path: image, name: 'image' })).status).toBe(200);
    expect((await run(gateway, vm, 'closefd', '{"fdname":"image"}')).text).toBe('{}');
    expect(await knownFds(gateway, vm)).toEqual([gone]);
  });

  it('the operation that passed them says that they are lost, or used, or removed, and so does its event', async () => {
    const { gateway, qemu, proxy, vm, resume } = await stage();
    await resume();
    const pass = async (body: object) => {
      const answer = await postFd(gateway, vm, { path: image, ...body });
      const operation = String(answer.headers['qmp-operation']);
      return { operation, use: String(answer.json()['use']), epoch: String(answer.json()['epoch']) };
    };
    const set = await pass({ fdset: true });
    const name = await pass({ name: 'image' });
    const used = await pass({ name: 'used' });
    const closed = await pass({ name: 'closed' });
    const all = [set, name, used, closed];
    const said = () => Promise.all(all.map(({ operation }) => descriptorsOf(gateway, vm, operation)));
    expect(await said()).toEqual(all.map(({ use }) => [{ use, state: 'held' }]));
    await run(gateway, vm, 'netdev_add', '{"type":"socket","id":"n0","fd":"used"}');
    await run(gateway, vm, 'closefd', '{"fdname":"closed"}');
    const events = await openLines(gateway, `/v1/vms/${vm}/events?event=operation`, 'text/event-stream');
    scene.keep(events, (one) => one.close());
    proxy.cut();
    await nextSession(gateway, vm, set.epoch);
    const lost = [
      [{ use: set.use, state: 'lost' }],
      [{ use: 'image', state: 'lost' }],
      [{ use: 'used', state: 'used' }],
      [{ use: 'closed', state: 'removed' }],
    ];
    await expect.poll(said).toEqual(lost);
    expect((await run(gateway, vm, 'query-fdsets')).text).toBe('[]');
    // What the list says of them, too; what became of the command stays as it was.
    const { text } = await exchange(gateway, `/v1/vms/${vm}/operations`);
    expect(text).toContain(JSON.stringify({ descriptors: lost[0] }).slice(1, -1));
    const one = (await exchange(gateway, `/v1/vms/${vm}/operations/${set.operation}`)).json();
    expect(one).toMatchObject({ command: 'add-fd', state: 'done', epoch: set.epoch });
    const shown = await runClient(scene, clientHome(scene, gateway), ['operations', vm, set.operation]);
    expect([shown.status, shown.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`descriptors: +${set.use} lost\n`)),
    ]);
    const told = (await nextSseEvents(events, 3)).map(({ data }) => [data['id'], data['state'], data['descriptors']]);
    expect(told).toEqual(
      expect.arrayContaining([
        [name.operation, 'done', lost[1]],
        [set.operation, 'done', [{ use: set.use, state: 'unknown' }]],
      ]),
    );
    expect(told[2]).toEqual([set.operation, 'done', lost[0]]);
    // The process has ended, and its descriptors with it.
    const again = await pass({ name: 'again' });
    qemu.kill('SIGKILL');
    await expect.poll(() => descriptorsOf(gateway, vm, again.operation)).toEqual([{ use: 'again', state: 'lost' }]);
  });

  it('may be used in another session where the VM has kept them', async () => {
    const { gateway, proxy, vm } = await stage();
    const answer = await postFd(gateway, vm, { path: image, flags: ['read', 'write'], fdset: true });
    const set = answer.json();
    proxy.cut();
    await nextSession(gateway, vm, String(set['epoch']));
    const said = () => descriptorsOf(gateway, vm, String(answer.headers['qmp-operation']));
    await expect.poll(said).toEqual([{ use: set['use'], state: 'held' }]);
    expect(await knownFds(gateway, vm)).toEqual([{ use: set['use'], epoch: set['epoch'], present: true }]);
    expect((await run(gateway, vm, 'blockdev-add', blockdev(String(set['use'])))).text).toBe('{}');
  });

  it('that are not allowed, or nothing to pass, are refused, and nothing stays open', async () => {
    const directory = path.dirname(image);
    symlinkSync(image, path.join(directory, 'link'));
    const { gateway, vm } = await stage([`${directory}*`, '/proc/1/mem', '/sys/kernel/*']);
    const before = openFiles(gateway);
    const refusals: readonly (readonly [object, number, string])[] = [
      [{ path: '/etc/passwd', name: 'a' }, 403, 'forbidden'],
      [{ path: path.join(directory, 'link'), name: 'a' }, 403, 'forbidden'],
      [{ path: `${directory}/../passwd`, name: 'a' }, 403, 'forbidden'],
      [{ path: directory, name: 'a' }, 409, 'host-path-unusable'],
      [{ path: path.join(directory, 'gone'), name: 'a' }, 409, 'host-path-unusable'],
      [{ path: '/sys/kernel/notes', flags: ['write'], name: 'a' }, 409, 'host-path-unusable'],
      [{ tap: 'tap0', name: 'a' }, 403, 'forbidden'],
      [{ path: 'image', name: 'a' }, 400, 'invalid-request'],
      [{ path: image }, 400, 'invalid-request'],
      [{ path: image, name: '1' }, 400, 'invalid-request'],
      [{ path: image, name: 'a', fdset: true }, 400, 'invalid-request'],
      [{ path: image, name: 'a', opaque: 'x' }, 400, 'invalid-request'],
      [{ path: image, tap: 'tap0', name: 'a' }, 400, 'invalid-request'],
      [{ path: image, name: 'a', queues: 2 }, 400, 'invalid-request'],
      [{ tap: 'tap0', name: 'a', queues: 33 }, 400, 'invalid-request'],
      [{ path: image, name: 'a', flags: [] }, 400, 'invalid-request'],
      [{ path: image, name: 'a', flags: ['read', 'read'] }, 400, 'invalid-request'],
      [{ name: 'a' }, 400, 'invalid-request'],
    ];
    for (const [body, status, code] of refusals)
      expect([body, problemOf(await postFd(gateway, vm, body))]).toEqual([
        body,
        expect.objectContaining({ status, code, outcome: 'not-sent' }),
      ]);
    expect(problemOf(await postFd(gateway, 'nobody', { path: image, name: 'a' }))).toMatchObject({
      code: 'vm-not-found',
    });
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
    expect([await passed(gateway), await passed(gateway, 'refused')]).toEqual([0, 0]);
  });

  it('are for level host, where the operator allows any', async () => {
    const { gateway, vm } = await stage();
    const token = makeToken(gateway, { level: 'configure', vms: ['*'] });
    const body = JSON.stringify({ path: image, name: 'a' });
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await exchange(gateway, `/v1/vms/${vm}/fds`, { method: 'POST', body, headers });
    expect(problemOf(answer)).toMatchObject({ status: 403, code: 'forbidden', command: 'getfd' });
    const other = await scene.gateway();
    const qemu = await scene.qemuOfNobody();
    const id = await registerVm(other, `unix:${qemu.socket}`);
    const refused = await postFd(other, id, { path: image, name: 'a' });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('hostPaths')]);
    // By name, and not by what POST of the command itself could do.
    expect((await run(other, id, 'getfd', '{"fdname":"a"}')).text).toMatch(/"not-offered".*|POST \/v1\/vms\/.*\/fds/);
  });

  it.each([
    [{ tap: 'a/b', name: 'a' }, '/tap'],
    [{ tap: 'a b', name: 'a' }, '/tap'],
    [{ tap: '', name: 'a' }, '/tap'],
    [{ tap: 'sixteen-letters-', name: 'a' }, '/tap'],
    [{ tap: 'tap0', name: 'a', queues: 0 }, '/queues'],
    [{ tap: 'tap0', name: 'a', queues: 1.5 }, '/queues'],
    [{ tap: 'tap0' }, '/name'],
    [{ tap: 'tap0', name: 'a', flags: ['read'] }, '/flags'],
    [{ tap: 'tap0', fdset: true }, '/fdset'],
  ])('a tap that is none is refused at its place: %j', async (body, pointer) => {
    const { gateway, vm } = await stage(['/dev/net/tun']);
    const problem = problemOf(await postFd(gateway, vm, body));
    expect(problem).toMatchObject({ status: 400, code: 'invalid-request', outcome: 'not-sent' });
    expect(JSON.stringify(problem)).toContain(`"pointer":"${pointer}"`);
  });

  it('interfaces that are no taps, or have no free queue, are not passed, and nothing stays open', async () => {
    const { gateway, vm } = await stage(['/dev/net/tun']);
    const [tun, single] = ['tun', 'tap'].map((mode) => `qg${mode}${process.pid % 100_000}`) as [string, string];
    const ip = (verb: string, dev: string, mode: string) => spawnSync('ip', ['tuntap', verb, 'dev', dev, 'mode', mode]);
    const isMade = ip('add', tun, 'tun').status === 0 && ip('add', single, 'tap').status === 0;
    scene.keep(tun, () => ip('del', tun, 'tun'));
    scene.keep(single, () => ip('del', single, 'tap'));
    const before = openFiles(gateway);
    const whyNot = async (body: object) => {
      const { status, text } = await postFd(gateway, vm, { name: 'a', ...body });
      expect([status, text]).toEqual([409, expect.stringContaining('"host-path-unusable"')]);
      return text;
    };
    const missing = 'there is no tap interface';
    expect(await whyNot({ tap: 'lo' })).toContain(missing);
    expect(await whyNot({ tap: tun })).toContain(isMade ? 'it is no tap interface' : missing);
    expect(await whyNot({ tap: single, queues: 2 })).toContain(isMade ? 'it has one queue' : missing);
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
    if (!isMade) return;
    expect((await postFd(gateway, vm, { tap: single, name: 'a' })).status).toBe(200);
    expect(await whyNot({ tap: single, name: 'b' })).toContain('it is in use');
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
    expect([await passed(gateway), await passed(gateway, 'refused')]).toEqual([1, 0]);
  });

  it('a tap with several queues, where this host has taps', async () => {
    const { gateway, vm } = await stage(['/dev/net/tun']);
    const tap = `qg${process.pid % 100_000}`;
    const body = { tap, queues: 2, name: 'net' };
    expect(problemOf(await postFd(gateway, vm, body))).toMatchObject({ status: 409, code: 'host-path-unusable' });
    const ip = (...words: string[]) => spawnSync('ip', ['tuntap', ...words, 'dev', tap, 'mode', 'tap', 'multi_queue']);
    const isMade = ip('add').status === 0;
    scene.keep(tap, () => ip('del'));
    const answer = await postFd(gateway, vm, body);
    expect([answer.status, answer.json()]).toEqual(
      isMade
        ? [200, expect.objectContaining({ use: 'net-0:net-1', names: ['net-0', 'net-1'], path: '/dev/net/tun' })]
        : [409, expect.objectContaining({ code: 'host-path-unusable' })],
    );
    if (!isMade) return;
    expect(await descriptorsOf(gateway, vm, String(answer.headers['qmp-operation']))).toEqual([
      { use: 'net-0', state: 'held' },
      { use: 'net-1', state: 'held' },
    ]);
    const netdev = { type: 'tap', id: 'n0', fds: 'net-0:net-1' };
    expect((await run(gateway, vm, 'netdev_add', JSON.stringify(netdev))).text).toBe('{}');
    expect((await run(gateway, vm, 'netdev_del', '{"id":"n0"}')).status).toBe(200);
  });
});
