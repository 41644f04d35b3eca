import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { Entrances } from './policy-entrances.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
});
afterAll(() => scene.end());

interface Chardev {
  readonly label: string;
  readonly filename: string;
}
const chardevs = async () =>
  (await exchange(gateway, `/v1/vms/${vm}/qmp/query-chardev`)).json() as unknown as Chardev[];
const nullBackend = { type: 'null', data: {} };

describe("the gateway's own monitor of a real QEMU", () => {
  it('is taken away or changed by nobody, level host included', async () => {
    const before = (await exchange(gateway, `/v1/vms/${vm}`)).json()['epoch'];
    const own = (await chardevs()).find(({ filename }) => filename.startsWith('unix:'))?.label ?? '';
    expect(own).not.toBe('');
    for (const [command, args] of [
      ['yank', { instances: [{ type: 'chardev', id: own }] }],
      ['chardev-remove', { id: own }],
      ['chardev-change', { id: own, backend: nullBackend }],
      ...[`/chardevs/${own}`, own, `chardevs//${own}/`].map(
        (path) => ['qom-set', { path, property: 'addr', value: 1 }] as const,
      ),
    ] as const) {
      const answer = await run(gateway, vm, command, JSON.stringify(args));
      expect(answer.json(), command).toMatchObject({ code: 'forbidden', status: 403, outcome: 'not-sent' });
      expect(answer.json()['detail']).toContain('rule own-monitor');
    }
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ state: 'ready', epoch: before });
  });

  it('is as safe from the human monitor, however it is spelled', async () => {
    const before = (await exchange(gateway, `/v1/vms/${vm}`)).json()['epoch'];
    const own = (await chardevs()).find(({ filename }) => filename.startsWith('unix:'))?.label ?? '';
    const lines = [
      ...[
        `chardev-remove ${own}`,
        `  chardev-remove\t"${own}"`,
        `\nchardev-remove\v${own} `,
        `chardev-change ${own} null`,
      ],
      ...[`qom-set /chardevs/${own} connected off`, `qom-set -j${own} connected false`],
      ...[`chardev-remove \r\n ${own}`, `chardev-change "${own}" backend=null`],
    ];
    const entrances = scene.keep(await Entrances.open(gateway, vm, gateway.token ?? ''), (open) => open.close());
    for (const line of lines) {
      for (const text of [JSON.stringify(line), JSON.stringify(line).replace('chardev', '\\u0063hardev')]) {
        const verdicts = await entrances.run('human-monitor-command', `{"command-line":${text}}`);
        expect(new Set(Object.values(verdicts)), text).toEqual(new Set(['forbidden']));
      }
    }
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ state: 'ready', epoch: before });
    const add = await run(gateway, vm, 'human-monitor-command', '{"command-line":"chardev-add null,id=other"}');
    expect(add.text).toBe('""');
    const remove = await run(gateway, vm, 'human-monitor-command', '{"command-line":"chardev-remove \\"other\\""}');
    expect(remove.text).toBe('""');
    expect((await chardevs()).map(({ label }) => label)).not.toContain('other');
  });

  it('stands in the way of no other back-end', async () => {
    const add = await run(gateway, vm, 'chardev-add', JSON.stringify({ id: 'mine', backend: nullBackend }));
    expect(add.status).toBe(200);
    expect((await run(gateway, vm, 'chardev-remove', '{"id":"mine"}')).status).toBe(200);
    expect((await run(gateway, vm, 'yank', '{"instances":[]}')).status).toBe(200);
  });
});
