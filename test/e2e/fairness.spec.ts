import type { FakeCommand } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run, runningOperations } from './gateway-scene.js';
import { problemOf } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

/** Unanswered in-band commands a VM is given at once. */
const places = 8;

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway({ settings: fakeMachineSettings })));
afterAll(() => scene.end());

describe('the queue of a VM', () => {
  it('gives places round-robin over principals, in each one’s order', async () => {
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    machine.fake.on(change, () => null);
    const answers: Promise<unknown>[] = [];
    for (const principal of ['a', 'b', 'c', 'd']) {
      const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'operate', vms: ['*'] })}` };
      for (let n = 0; n < 50; n++)
        answers.push(run(gateway, vm, change, { args: JSON.stringify({ text: principal, integer: n }), headers }));
      while ((await runningOperations(gateway, vm)) < answers.length);
    }
    expect(machine.received).toHaveLength(places);

    // One answer frees one place; who comes next?
    for (let answered = 0; answered < answers.length; answered++) {
      const next = answered + places < answers.length ? machine.fake.next(change) : undefined;
      machine.fake.answer(machine.received[answered] as FakeCommand, { json: '{}' });
      await next;
    }
    await Promise.all(answers);
    const arrived = machine.received.map((command) => command.arguments as { text: string; integer: number });
    expect(arrived).toHaveLength(200);
    expect(arrived.slice(0, places).map(({ text }) => text)).toEqual(Array<string>(places).fill('a'));
    // All four have something waiting until the first, who is eight ahead, has nothing left.
    for (let turn = places; turn < places + 4 * (50 - places); turn += 4)
      expect(new Set(arrived.slice(turn, turn + 4).map(({ text }) => text)).size).toBe(4);
    expect(new Set(arrived.map(({ text, integer }) => `${text}${integer}`)).size).toBe(200);
  });

  it('holds 1,000 and no more; a lost connection ends them all', async () => {
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    machine.fake.on(change, () => null);
    const answers: Promise<{ error?: { data?: Record<string, unknown> } }>[] = [];
    for (let connection = 0; connection < 4; connection++) {
      const client = scene.keep(await JsonRpcClient.connect(gateway), (made) => made.close());
      for (let n = 0; n < 252; n++) answers.push(client.request('execute', JSON.stringify({ vm, command: change })));
    }
    while ((await runningOperations(gateway, vm)) < 1000 + places);
    const refused = await run(gateway, vm, change);
    expect(problemOf(refused)).toEqual({
      ...{ status: 429, code: 'queue-full', vm, command: change, outcome: 'not-sent', retryable: true },
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(machine.received).toHaveLength(places);

    machine.fake.connections[0]?.socket.destroy();
    const codes = (await Promise.all(answers)).map(({ error }) => error?.data?.['code']);
    expect(codes.filter((code) => code === 'outcome-unknown')).toHaveLength(places);
    expect(codes.filter((code) => code === 'vm-unavailable')).toHaveLength(1000);
  });

  it('lets out-of-band commands pass all that wait', async () => {
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    machine.fake.on(change, () => null);
    const waiting = Array.from({ length: 20 }, () => run(gateway, vm, change));
    while ((await runningOperations(gateway, vm)) < waiting.length);
    const client = scene.keep(await JsonRpcClient.connect(gateway), (made) => made.close());
    const answer = await client.request('execute', JSON.stringify({ vm, command: 'query-yank', oob: true }));
    expect(answer.result).toEqual([]);
    expect(machine.fake.commands.at(-1)).toMatchObject({ name: 'query-yank', outOfBand: true });
    machine.fake.connections[0]?.socket.destroy();
    await Promise.all(waiting);
  });
});

describe('a slow command of a real QEMU', () => {
  it('holds up its own VM alone', async () => {
    const slow = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'pc' })).socket}`);
    const other = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
    const dump = run(gateway, slow, 'human-monitor-command', '{"command-line":"xp /1000000xb 0"}');
    const behind = Array.from({ length: 40 }, () => run(gateway, slow, 'query-status'));
    while ((await runningOperations(gateway, slow)) === 0);
    const order: string[] = [];
    const others = Array.from({ length: 5 }, async () => {
      expect((await run(gateway, other, 'query-status')).status).toBe(200);
      order.push('other');
    });
    await Promise.all([
      ...others,
      dump.then(({ status }) => {
        expect(status).toBe(200);
        order.push('dump');
      }),
    ]);
    expect(order).toEqual([...others.map(() => 'other'), 'dump']);
    expect((await Promise.all(behind)).map(({ status }) => status)).toEqual(behind.map(() => 200));
  });
});
