import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';
import { objectTreeMachine, type TreeObject } from './object-tree-machine.js';
import { Entrances } from './policy-entrances.js';

const monitor = (chardev: string): TreeObject => ({
  type: 'monitor-qmp',
  properties: { chardev, pretty: false, 'close-action': 'none' },
});
const own = monitor('qmp0');
const other = monitor('qmp1');
const thread: TreeObject = { type: 'iothread', properties: { 'poll-max-ns': 1 } };
/** As QEMU 11.1 has it; the links are what a later one could have. */
const tree: TreeObject = {
  type: 'container',
  children: {
    machine: {
      type: 'pc-q35-11.1-machine',
      properties: { 'dump-guest-core': true },
      links: { console: '/objects/compat_monitor0', back: '/objects' },
      children: { odd: { type: 'device', properties: { type: 1 } } },
    },
    objects: { type: 'container', children: { compat_monitor0: own, compat_monitor1: other, io0: thread } },
    chardevs: { type: 'container', children: { qmp0: { type: 'chardev-socket' }, qmp1: { type: 'chardev-socket' } } },
  },
};

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let entrances: Entrances;

beforeAll(async () => {
  gateway = await scene.gateway();
  machine = await objectTreeMachine(scene, tree, ['qmp0', 'qmp1']);
  vm = await registerVm(gateway, machine.endpoint);
  entrances = scene.keep(await Entrances.open(gateway, vm, gateway.token ?? ''), (open) => open.close());
});
afterAll(() => scene.end());
beforeEach(() => void machine.takeReceived());

const set = (path: string, property: string, value: unknown) =>
  ['qom-set', JSON.stringify({ path, property, value })] as const;
const line = (text: string) => ['human-monitor-command', JSON.stringify({ 'command-line': text })] as const;
const changes = () => machine.takeReceived().filter((name) => name === 'qom-set' || name === 'human-monitor-command');

describe("a setter of the gateway's own monitor", () => {
  const toOwn = [
    ...['/objects/compat_monitor0', 'compat_monitor0', 'objects/compat_monitor0', '/objects/compat_monitor0/'],
    ...['//objects///compat_monitor0//', 'compat_monitor0/', '/machine/console', 'console', 'machine/console'],
    ...[
      '/machine/back/compat_monitor0',
      'back/compat_monitor0',
      '/chardevs/qmp0',
      'qmp0',
      'chardevs/qmp0',
      '/machine/odd',
    ],
  ];

  it.each(toOwn)('is reached by nobody as %s', async (path) => {
    for (const [property, value] of [
      ['pretty', true],
      ['close-action', 'delete'],
      ['chardev', 'qmp1'],
      ['anything', null],
    ] as const) {
      const verdicts = await entrances.run(...set(path, property, value));
      expect(new Set(Object.values(verdicts)), property).toEqual(new Set(['forbidden']));
    }
    const verdicts = await entrances.run(...line(`qom-set ${path} close-action delete`));
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['forbidden']));
    if (path.startsWith('/')) {
      const answer = await exchange(gateway, `/v1/vms/${vm}/qom${path}/pretty`, { method: 'PUT', body: 'true' });
      expect([answer.status, answer.json()['outcome']]).toEqual([403, 'not-sent']);
      expect(answer.json()['detail']).toContain('own-monitor');
    }
    expect([changes(), own.properties?.['pretty']]).toEqual([[], false]);
  });

  it.each([
    // Each of them was run by QEMU 11.1 with this effect.
    ['a slash for the space', 'qom-set/objects/compat_monitor0 close-action delete'],
    ['no space after a flag', 'qom-set -j/objects/compat_monitor0 pretty true'],
    ['a flag', 'qom-set -j compat_monitor0 pretty true'],
    ['other white space', '\v qom-set\f"compat_monitor0"close-action delete'],
    ['more slashes', 'qom-set objects//compat_monitor0/ close-action delete'],
    ['quotes', 'qom-set "/objects/compat_monitor0" pretty on'],
    ['a path as long as it may be', `qom-set ${'/'.repeat(1000)}objects/compat_monitor0 close-action delete`],
    ['a path that is cut to ours', `qom-set ${'/'.repeat(1000)}objects/compat_monitor0cut close-action delete`],
  ])('is reached by no line of the human monitor: %s', async (_, text) => {
    const verdicts = await entrances.run(...line(text));
    expect([new Set(Object.values(verdicts)), changes()]).toEqual([new Set(['forbidden']), []]);
  });

  it('is told of in a dry run', async () => {
    for (const path of toOwn.slice(0, 6)) {
      const dry = await run(gateway, vm, 'qom-set', {
        args: set(path, 'pretty', true)[1],
        headers: { 'Dry-Run': 'true' },
      });
      expect(dry.status, path).toBe(403);
    }
  });

  it('stands in the way of no other setter', async () => {
    for (const path of ['/objects/compat_monitor1', '/objects/io0', 'io0', '/machine', '/machine/back/io0']) {
      const verdicts = await entrances.run(...set(path, 'poll-max-ns', 7));
      expect(new Set(Object.values(verdicts)), path).toEqual(new Set(['done']));
    }
    expect((await entrances.run(...line('qom-set /objects/io0 poll-max-ns 9'))).rest).toBe('done');
    expect(thread.properties?.['poll-max-ns']).toBe(7);
  });

  it('is not sent where the VM knows no such object, in the words of the VM', async () => {
    const answer = await run(gateway, vm, 'qom-set', set('nowhere', 'pretty', true)[1]);
    expect(answer.json()).toMatchObject({ code: 'device-not-found', qmp: { class: 'DeviceNotFound' } });
    expect(changes()).toEqual([]);
  });
});

describe('a command that the VM is asked about first', () => {
  it('is overtaken by none of the same caller', async () => {
    const rpc = scene.keep(await JsonRpcClient.connect(gateway), (client) => client.close());
    const requests = [set('io0', 'poll-max-ns', 1), ['qom-list', '{"path":"/"}'], set('/machine', 'a', 1)] as const;
    const answers = await Promise.all(
      requests.map(([command, args]) =>
        rpc.request('execute', `{"vm":"${vm}","command":"${command}","arguments":${args}}`),
      ),
    );
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(machine.takeReceived()).toEqual(['qom-get', 'qom-set', 'qom-list', 'qom-get', 'qom-set']);
  });

  it('is not sent after its deadline, and holds up nobody after it', async () => {
    const answerType = machine.fake.handlers.get('qom-get');
    machine.fake.on('qom-get', () => null);
    const late = await run(gateway, vm, 'qom-set', {
      args: set('io0', 'poll-max-ns', 5)[1],
      headers: { 'Request-Timeout': '200ms' },
    });
    expect(late.json()).toMatchObject({ code: 'deadline-exceeded', outcome: 'not-sent' });
    if (answerType !== undefined) machine.fake.on('qom-get', answerType);
    expect((await run(gateway, vm, 'qom-list', '{"path":"/"}')).status).toBe(200);
    expect(machine.takeReceived()).toEqual(['qom-get', 'qom-list']);
  });

  it('is refused when the session ends over the question', async () => {
    const answerType = machine.fake.handlers.get('qom-get');
    machine.fake.on('qom-get', ({ connection }) => {
      connection.close();
      return null;
    });
    const lost = await run(gateway, vm, 'qom-set', set('io0', 'poll-max-ns', 5)[1]);
    expect(lost.json()).toMatchObject({ code: 'vm-unavailable', outcome: 'not-sent' });
    expect(changes()).toEqual([]);
    if (answerType !== undefined) machine.fake.on('qom-get', answerType);
    await gateway.vmBecomes(vm, 'ready');
    expect((await run(gateway, vm, 'qom-set', set('io0', 'poll-max-ns', 5)[1])).status).toBe(200);
  });
});
