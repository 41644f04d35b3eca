import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { objectTreeMachine, type TreeObject } from './object-tree-machine.js';

/** More of each than a monitor has places for commands. */
const many = Array.from({ length: 20 }, (_, at) => String(at));
const types = many.map((at) => `secret_kind${at}`);
const payloadOf = (type: string) => `payload-of-${type}`;

const monitors = many.map((at): [string, TreeObject] => [
  `mon${at}`,
  { type: 'monitor-qmp', properties: { chardev: at === '0' ? 'qmp0' : `qmp${at}`, pretty: false } },
]);
const secrets = types.map((type): [string, TreeObject] => [
  type,
  { type, properties: { [payloadOf(type)]: 'hunter2' } },
]);
const tree: TreeObject = {
  type: 'container',
  children: { objects: { type: 'container', children: Object.fromEntries([...monitors, ...secrets]) } },
};

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  const chardevs = many.map((at) => `qmp${at}`);
  const machine = await objectTreeMachine(scene, tree, chardevs, types);
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());

describe('a VM of which much must be asked', () => {
  it('has every type of secret found', async () => {
    const reader = { ...gateway, token: makeToken(gateway, { level: 'configure', vms: ['*'] }) };
    const statuses = [];
    for (const type of types) {
      const args = JSON.stringify({ path: `/objects/${type}`, property: payloadOf(type) });
      statuses.push((await run(reader, vm, 'qom-get', args)).status);
    }
    expect(statuses).toEqual(types.map(() => 403));
  });

  it('has its monitors told apart', async () => {
    const statuses = [];
    for (const [name] of monitors) {
      const args = JSON.stringify({ path: `/objects/${name}`, property: 'pretty', value: true });
      statuses.push((await run(gateway, vm, 'qom-set', args)).status);
    }
    expect(statuses).toEqual(monitors.map((_, at) => (at === 0 ? 403 : 200)));
  });
});
