import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registerVm } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import { buildAddon, DescriptorClient, DescriptorScene, opened, openFiles, passed } from './descriptor-scene.js';

const scene = new DescriptorScene();
const python = fileURLToPath(new URL('send_fds.py', import.meta.url));

beforeAll(buildAddon);
afterEach(() => scene.end());

async function stage(settings: Record<string, unknown> = {}) {
  const { gateway, socketOf } = await scene.sharing();
  const qemu = await scene.qemuOfNobody();
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  const client = await scene.client(socketOf(vm));
  return { gateway, client, vm, socket: socketOf(vm), settings };
}

const getfd = (name: string) => JSON.stringify({ execute: 'getfd', arguments: { fdname: name }, id: name });
const some = (count: number) => Array.from({ length: count }, () => opened('/dev/null'));
const done = (id: string) => ({ return: {}, id });
const status = '{"execute":"query-status","id":"s"}';

describe('clients of a monitor socket that send descriptors', () => {
  it('pass them to the VM: with the command, before it, several at once', async () => {
    const { gateway, client, vm } = await stage();
    expect(await client.ask(getfd('a'), some(1))).toEqual(done('a'));
    await client.send(' ', some(1));
    expect(await client.ask(getfd('b'))).toEqual(done('b'));
    expect(await client.ask(getfd('c'), some(32))).toEqual(done('c'));
    await client.send(`${status}\r\n`);
    await client.send(`${getfd('d')}\r\n`, some(1));
    expect([await client.line(), await client.line()]).toEqual([
      expect.objectContaining({ id: 's', return: expect.anything() }),
      done('d'),
    ]);
    // Each operation says what it passed, as much as one of HTTP does.
    const said = (await exchange(gateway, `/v1/vms/${vm}/operations`)).text;
    for (const name of ['a', 'b', 'c', 'd']) expect(said).toContain(`"descriptors":[{"use":"${name}","state":"held"}]`);
    // The VM has them: it closes each by its name.
    for (const name of ['a', 'b', 'c', 'd'])
      expect(await client.ask(JSON.stringify({ execute: 'closefd', arguments: { fdname: name }, id: name }))).toEqual(
        done(name),
      );
    expect([await passed(gateway), await passed(gateway, 'unused')]).toEqual([35, 0]);
  });

  it('lose those that no command takes: they are closed and counted', async () => {
    const { gateway, client } = await stage();
    const before = openFiles(gateway);
    expect(await client.ask(status, some(2))).toMatchObject({ id: 's' });
    await expect.poll(() => passed(gateway, 'unused')).toBe(2);
    // Before a command that takes none, after which they are not for the next one.
    await client.send(' ', some(3));
    expect(await client.ask(status)).toMatchObject({ id: 's' });
    expect(await client.ask(getfd('a'))).toMatchObject({ id: 'a', error: { class: 'GenericError' } });
    expect(await passed(gateway, 'unused')).toBe(5);
    // Replaced by later ones.
    await client.send(' ', some(1));
    await client.send(' ', some(1));
    expect(await client.ask(getfd('b'))).toEqual(done('b'));
    // Too many.
    expect(await client.ask(getfd('c'), some(33))).toMatchObject({ error: { class: 'GenericError' } });
    // Of a command that the VM does not take, and of a client that goes.
    expect(await client.ask('{"execute":"getfd","arguments":{},"id":"d"}', some(1))).toMatchObject({
      id: 'd',
      error: {},
    });
    await client.send(' ', some(4));
    client.socket.destroy();
    await expect.poll(() => passed(gateway, 'unused')).toBe(5 + 1 + 33 + 4);
    expect([await passed(gateway), await passed(gateway, 'refused')]).toEqual([1, 1]);
    await expect.poll(() => openFiles(gateway)).toBeLessThan(before);
  });

  it('may pipeline them: each reaches the VM with its own command', async () => {
    const { gateway, client } = await stage();
    const before = openFiles(gateway);
    const names = Array.from({ length: 300 }, (_, at) => `fd-${at}`);
    const replies = (async () => {
      const ids: unknown[] = [];
      while (ids.length < names.length) {
        const message = await client.line();
        if ('return' in message) ids.push(message['id']);
        else throw new Error(JSON.stringify(message));
      }
      return ids;
    })();
    for (const name of names) await client.send(`${getfd(name)}\r\n`, some(1));
    expect(await replies).toEqual(names);
    expect([await passed(gateway), await passed(gateway, 'unused')]).toEqual([names.length, 0]);
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
  });

  it('may be in Python: a socketpair is a network of the VM', async () => {
    const { gateway, socket } = await stage();
    const { stdout } = await promisify(execFile)('python3', [python, socket, path.join(scene.image(), '..', 'image')], {
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).toEqual({
      getfd: {},
      netdev_add: {},
      netdev_del: {},
      'add-fd': { 'fdset-id': expect.any(Number), fd: expect.any(Number) },
      'blockdev-add': {},
      'blockdev-del': {},
      'remove-fd': {},
    });
    expect(await passed(gateway)).toBe(2);
  });

  it('of a gateway without the addon pass none, and all else goes on', async () => {
    const { gateway, socketOf } = await scene.sharing({ env: { NODE_OPTIONS: '--no-addons' } });
    const qemu = await scene.qemuOfNobody();
    const client = await scene.client(socketOf(await registerVm(gateway, `unix:${qemu.socket}`)));
    expect(await client.ask('{"execute":"query-name","id":1}', some(1))).toEqual({ return: {}, id: 1 });
    expect(await client.ask(getfd('a'), some(1))).toMatchObject({ id: 'a', error: { class: 'GenericError' } });
    expect(await client.ask(status)).toMatchObject({ id: 's', return: expect.anything() });
  });

  it.each([
    ['that are no JSON', '{"execute":]\r\n'],
    ['that are no text', '\u0001\r\n'],
    ['that are JSON, but no command', '[1]\r\n'],
    ['of an unknown command', '{"execute":"no-such-command"}\r\n'],
    ['of a negotiation, which is over', '{"execute":"qmp_capabilities"}\r\n'],
    ['of a command that is not run', '{"execute":"getfd","arguments":{"fdname":1}}\r\n'],
  ])('with bytes %s have an error, and nothing stays open', async (_, bytes) => {
    const { gateway, client } = await stage();
    const before = openFiles(gateway);
    await client.send(bytes, some(3));
    expect(await client.line()).toMatchObject({ error: { class: expect.any(String) } });
    const closed = async () => (await passed(gateway, 'unused')) + (await passed(gateway, 'refused'));
    // At the latest with the next command.
    expect(await client.ask(status)).toMatchObject({ id: 's' });
    await expect.poll(closed).toBe(3);
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
    expect(await passed(gateway)).toBe(0);
  });

  it('before the negotiation, with half a command and as many as a message can have: nothing stays open', async () => {
    const { gateway, socket, client } = await stage();
    const before = openFiles(gateway);
    const early = new DescriptorClient(connect(socket));
    await early.send('{"execute":"getfd","arguments":{"fdname":"a"}}\r\n', some(1));
    expect([await early.line(), await early.line()]).toMatchObject([{ QMP: {} }, { error: {} }]);
    await early.send('{"execute":"getfd","argum', some(253));
    early.socket.destroy();
    const gone = async () => (await passed(gateway, 'unused')) + (await passed(gateway, 'refused'));
    await expect.poll(gone).toBe(254);
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
    expect(await client.ask(status)).toMatchObject({ id: 's', return: expect.anything() });
  });

  it('whose VM is away have an error, and nothing stays open', async () => {
    const { gateway, socketOf } = await scene.sharing();
    const qemu = await scene.qemuOfNobody();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const client = await scene.client(socketOf(vm));
    const before = openFiles(gateway);
    qemu.kill('SIGSTOP');
    await client.send(`${getfd('a')}\r\n`, some(2));
    await expect.poll(() => openFiles(gateway)).toBeGreaterThan(before);
    qemu.kill('SIGKILL');
    await expect.poll(() => openFiles(gateway)).toBeLessThan(before);
    expect(await passed(gateway)).toBe(0);
  });

  it('of a socket below level host pass none', async () => {
    const dir = path.join(scene.directory(), 'operators');
    const { gateway } = await scene.sharing({ settings: { monitorSockets: { dir, level: 'operate' } } });
    const qemu = await scene.qemuOfNobody();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const client = await scene.client(path.join(dir, `${vm}.sock`));
    const before = openFiles(gateway);
    expect(await client.ask(getfd('a'), some(1))).toMatchObject({ error: { class: 'GenericError' } });
    expect([await passed(gateway), await passed(gateway, 'refused')]).toEqual([0, 1]);
    await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
  });
});
