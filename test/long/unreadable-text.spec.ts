import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { FaultScene } from '../e2e/fault-scene.js';
import { makeToken, registerVm } from '../e2e/gateway-scene.js';
import { exchange, type Exchange } from '../e2e/http-exchange.js';

const seconds = 60;
const perSecond = 50;
const scene = new FaultScene();

afterEach(() => scene.end());

it('text that no VM reads, 50 times a second for a minute, ends no session and costs a neighbour no answer', async () => {
  const gateway = await scene.gateway();
  const { socket } = await scene.qemu();
  const vm = await registerVm(gateway, `unix:${socket}`);
  const before = await exchange(gateway, `/v1/vms/${vm}/qmp/query-status`);
  const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'read', vms: [vm] })}` };
  const attack: Promise<Exchange>[] = [];
  const attacker = setInterval(() => {
    attack.push(exchange(gateway, `/v1/vms/${vm}/qmp/qom-list?path=%EF%BF%BE`, { headers }));
    if (attack.length === seconds * perSecond) clearInterval(attacker);
  }, 1000 / perSecond);
  scene.keep(attacker, (timer) => clearInterval(timer));
  const answers = new Map<string, number>();
  while (attack.length < seconds * perSecond) {
    const { status, headers: told } = await exchange(gateway, `/v1/vms/${vm}/qmp/query-status`);
    const answer = `${status} ${String(told['qmp-vm-epoch'])}`;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    await pause(5);
  }
  const refusals = await Promise.all(attack);
  expect(new Set(refusals.map((answer) => answer.json()['code']))).toEqual(new Set(['malformed-json']));
  expect([...answers.keys()]).toEqual([`200 ${String(before.headers['qmp-vm-epoch'])}`]);
  process.stdout.write(
    `unreadable text: ${refusals.length} refused, ${[...answers.values()].join()} answers beside them\n`,
  );
});
