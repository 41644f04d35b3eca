import { FaultProxy } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, nextSession, registerVm, run, runningOperations } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

/** Places tried side by side. */
const lanes = 16;
const args = '{"text":"a long enough argument"}';

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway({ settings: fakeMachineSettings })));
afterAll(() => scene.end());

/** A machine behind a proxy, which cuts its connection where it is told. */
interface CutMachine {
  readonly machine: FakeMachine;
  readonly proxy: FaultProxy;
  readonly vm: string;
}

async function cutMachine(): Promise<CutMachine> {
  const machine = await fakeMachine(scene);
  const proxy = await FaultProxy.start(machine.endpoint.slice('unix:'.length));
  scene.keep(proxy, (made) => made.stop());
  return { machine, proxy, vm: await registerVm(gateway, `unix:${proxy.endpoint.path}`) };
}

type Direction = 'toServer' | 'toClient';

function never(): never {
  throw new Error('the machine has no connection');
}

/** What a client is told when the connection is cut after `bytes` bytes in this direction, and how often the command arrived. */
async function runCut(direction: Direction, bytes: number): Promise<{ answer: Exchange; arrivals: number }> {
  const { machine, proxy, vm } = await cutMachine();
  const { socket } = machine.fake.connections.at(-1) ?? never();
  const epoch = String((await gateway.vmBecomes(vm, 'ready'))['epoch']);
  proxy[direction].cutAfter = (direction === 'toServer' ? socket.bytesRead : socket.bytesWritten) + bytes;
  const answer = await run(gateway, vm, change, args);
  proxy[direction].cutAfter = null;
  proxy.cut();
  // Not even in the next session may it be sent again.
  await nextSession(gateway, vm, epoch);
  const arrivals = machine.takeReceived().length;
  await exchange(gateway, `/v1/vms/${vm}`, { method: 'DELETE' });
  return { answer, arrivals };
}

async function atEachPlace(direction: Direction, count: number): Promise<{ answer: Exchange; arrivals: number }[]> {
  const results: { answer: Exchange; arrivals: number }[] = [];
  let next = 0;
  const work = async () => {
    for (let place = next++; place < count; place = next++) results[place] = await runCut(direction, place);
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return results;
}

/** Bytes of the command and of its answer on the wire. */
async function lengths(): Promise<{ request: number; reply: number }> {
  const { machine, vm } = await cutMachine();
  const { socket } = machine.fake.connections.at(-1) ?? never();
  const [read, written] = [socket.bytesRead, socket.bytesWritten];
  expect((await run(gateway, vm, change, args)).status).toBe(200);
  return { request: socket.bytesRead - read, reply: socket.bytesWritten - written };
}

describe('a connection that is cut', () => {
  it('at every byte of the command: 502, the command arrives once at most', async () => {
    const { request } = await lengths();
    const results = await atEachPlace('toServer', request);
    for (const [place, { answer, arrivals }] of results.entries()) {
      expect([place, answer.status]).toEqual([place, 502]);
      expect(problemOf(answer)).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown', retryable: false });
      expect(arrivals).toBeLessThanOrEqual(1);
    }
    expect(results[0]?.arrivals).toBe(0);
  });

  it('at every byte of the reply: 502 until its last byte came, the command was done once', async () => {
    const { reply } = await lengths();
    const results = await atEachPlace('toClient', reply + 1);
    for (const [place, { answer, arrivals }] of results.entries()) {
      expect([place, answer.status]).toEqual([place, place < reply ? 502 : 200]);
      expect(arrivals).toBe(1);
    }
  });

  it('before anything is sent: 503, nothing arrives', async () => {
    const { machine, proxy, vm } = await cutMachine();
    await machine.fake.stop();
    proxy.cut();
    await gateway.vmBecomes(vm, 'waiting');
    machine.takeReceived();
    const answer = await run(gateway, vm, change, args);
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'vm-unavailable', outcome: 'not-sent' });
    expect(machine.takeReceived()).toEqual([]);
  });

  it('while commands wait: 502 for those that were sent, 503 for those that were not', async () => {
    const { machine, proxy, vm } = await cutMachine();
    machine.fake.on(change, () => null);
    const answers = Array.from({ length: 12 }, () => run(gateway, vm, change, args));
    while ((await runningOperations(gateway, vm)) < 12);
    while (machine.received.length < 8) await machine.fake.next(change);
    proxy.cut();
    const codes = (await Promise.all(answers)).map((answer) => problemOf(answer)['code']);
    expect(codes.filter((code) => code === 'outcome-unknown')).toHaveLength(8);
    expect(codes.filter((code) => code === 'vm-unavailable')).toHaveLength(4);
    await gateway.vmBecomes(vm, 'ready');
    expect(machine.takeReceived()).toHaveLength(8);
  });

  it('after quit: success, with or without a reply', async () => {
    for (const reply of [true, false]) {
      const { machine, vm } = await cutMachine();
      machine.fake.on('quit', ({ connection }) => {
        if (reply) return { json: '{}' };
        connection.close();
        return null;
      });
      const answer = await run(gateway, vm, 'quit');
      expect([answer.status, answer.text]).toEqual([200, '{}']);
    }
  });
});

describe('a reply that is broken', () => {
  it.each([
    ['not JSON', '{"return": nope, "id": ID}\r\n'],
    ['infinite', '{"return": inf, "id": ID}\r\n'],
    ['neither value nor error', '{"id": ID}\r\n'],
    ['an error without id', '{"error": {"class": "GenericError", "desc": "?"}}\r\n'],
  ])('%s: 502', async (_, line) => {
    const { machine, vm } = await cutMachine();
    machine.fake.on(change, ({ id }) => ({ raw: line.replace('ID', id ?? '') }));
    const answer = await run(gateway, vm, change, args);
    expect(problemOf(answer)).toMatchObject({ status: 502, code: 'outcome-unknown', outcome: 'unknown' });
    expect(machine.takeReceived()).toEqual([change]);
  });
});
