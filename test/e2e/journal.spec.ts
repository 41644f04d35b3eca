import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { launchQemu, RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, nextSession, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

const manifest = new URL('../../apps/gateway/package.json', import.meta.url);
const { version: ownVersion } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

type Line = Record<string, unknown>;

/**
 * What the log says of a VM: level, message and code of each line. A socket that is replaced within a few milliseconds of
 * its dial is dialled again to be sure, and the second session may hear the answer to the first: that is another story.
 */
const told = (gateway: GatewayProcess, vm: string): unknown[][] =>
  gateway
    .log()
    .filter((line) => line['vm'] === vm && Number(line['level']) >= 30 && line['kind'] !== 'foreign-reply')
    .map(({ level, msg, code }) => [level, msg, code].filter((part) => part !== undefined));

/** The first line of the log of which that holds. */
async function until(gateway: GatewayProcess, holds: (line: Line) => boolean): Promise<Line> {
  for (;;) {
    const line = gateway.log().find(holds);
    if (line !== undefined) return line;
    await exchange(gateway, '/livez');
  }
}

const [info, warn] = [30, 40];

describe('the log of a gateway', () => {
  it('tells a bad day in a line for each thing that happened, with VM and code, however often it was dialled', async () => {
    const directory = scene.directory();
    const socket = (name: string): string => path.join(directory, `${name}.qmp`);
    const busy = await scene.qemu({ directory: scene.directory() });
    const holder = scene.keep(await RawQmpClient.connect(busy.socket), (client) => client.close());
    await holder.negotiate();
    await fakeMachine(scene, { path: socket('locked') });
    chmodSync(socket('locked'), 0);
    const web = createServer((client) => client.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    scene.keep(web, () => web.close());
    await new Promise<void>((resolve) => web.listen(socket('web'), resolve));
    const home = scene.directory();
    const start = async () => scene.keep(await launchQemu({ directory: home }), (qemu) => qemu.stop());
    let machine = await start();
    const day = path.basename(machine.socket);

    const gateway = await scene.gateway({
      boundByModes: true,
      args: [
        ...['--vm', `busy=unix:${busy.socket}`, '--vm', `locked=unix:${socket('locked')}`],
        ...['--vm', `web=unix:${socket('web')}`, '--vm', `absent=unix:${socket('absent')}`],
        ...['--discover', `${home}/{id}`],
      ],
    });
    await gateway.vmBecomes(day, 'ready');
    const { epoch } = (await exchange(gateway, `/v1/vms/${day}`)).json();
    // What its socket file is left of is refused, and dialled again and again until there is another.
    machine.kill('SIGKILL');
    await machine.ended;
    await gateway.vmBecomes('busy', 'busy');
    machine = await start();
    await nextSession(gateway, day, String(epoch));
    expect((await run(gateway, day, 'quit')).status).toBe(200);
    await until(gateway, ({ vm, msg }) => vm === day && msg === 'vm removed');

    expect(told(gateway, 'busy')).toEqual([[warn, 'vm busy', 'no-greeting']]);
    expect(told(gateway, 'locked')).toEqual([[warn, 'vm unreachable', 'no-permission']]);
    expect(told(gateway, 'web')).toEqual([[warn, 'vm unreachable', 'wrong-protocol']]);
    expect(told(gateway, 'absent')).toEqual([[warn, 'vm unreachable', 'no-such-file']]);
    expect(told(gateway, day)).toEqual([
      [info, 'vm ready'],
      [warn, 'vm lost', expect.stringMatching(/^connection-(lost|reset)$/)],
      [info, 'vm ready again'],
      [info, 'vm ended', 'shutdown'],
      [info, 'vm removed'],
    ]);
  });

  it('begins with what it is, what it was told and where to look', async () => {
    const directory = scene.directory();
    await fakeMachine(scene, { path: path.join(directory, 'a.qmp') });
    const gateway = await scene.gateway({
      settings: { discover: [{ qmp: `${directory}/{id}.qmp` }], vms: { b: { endpoint: 'unix:/nowhere/b' } } },
    });
    expect(await until(gateway, ({ msg }) => msg === 'started')).toMatchObject({
      ...{ level: info, version: ownVersion, node: process.version, state: gateway.state, vms: 2 },
      settings: expect.stringMatching(/^\/.*settings\.yaml$/) as string,
      discover: [`${directory}/{id}.qmp`],
      ...{ listeners: [gateway.url], docs: `${gateway.url}/docs` },
    });
    expect((await exchange(gateway, '/docs', { headers: { Authorization: null } })).status).toBeLessThan(400);
    const without = await scene.gateway();
    const bare = await until(without, ({ msg }) => msg === 'started');
    expect(bare).toMatchObject({ settings: null, discover: [], vms: 0 });
  });

  it('tells once that a guest agent is silent, however often it is asked', async () => {
    const directory = scene.directory();
    const machine = await fakeMachine(scene, { path: path.join(directory, 'a.qmp') });
    let asked = 0;
    const silent = createServer((client) => client.on('error', () => undefined).on('data', () => asked++));
    scene.keep(silent, () => silent.close());
    await new Promise<void>((resolve) => silent.listen(path.join(directory, 'a.qga'), resolve));
    const agent = `unix:${path.join(directory, 'a.qga')}`;
    const gateway = await scene.gateway({ settings: { vms: { a: { endpoint: machine.endpoint, agent } } } });
    await until(gateway, ({ msg }) => msg === 'guest agent silent');
    const before = asked;
    while (asked < before + 2) await exchange(gateway, '/livez');
    expect(told(gateway, 'a')).toEqual([
      [info, 'vm ready'],
      [warn, 'guest agent silent'],
    ]);
  });

  it('tells that settings were read again, and that it stops', async () => {
    const gateway = await scene.gateway({ settings: {} });
    gateway.rewriteSettings({ vms: { b: { endpoint: 'unix:/nowhere/b' } } });
    gateway.process.kill('SIGHUP');
    const line = await until(gateway, ({ msg }) => msg === 'settings and the files they name read again');
    expect(line).toMatchObject({ level: info, changed: ['vms'], vms: 1 });
    expect(await gateway.stop()).toBe(0);
    expect(gateway.log().at(-1)).toMatchObject({ level: info, msg: 'stopping', reason: 'SIGTERM' });
  });
});
