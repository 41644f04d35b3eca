import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RawQmpClient, type FakeCommand, type Qemu } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { change, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, run } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';
import { operationAt } from './work-reader.js';

const mebibyte = 2 ** 20;
const size = 64 * mebibyte;
const vm = 'vm';

const scene = new GatewayScene();
let state: string;
let gateway: GatewayProcess;

afterEach(() => scene.end());

async function kill(): Promise<void> {
  gateway.process.kill('SIGKILL');
  await gateway.ended;
}

describe('a backup under an Idempotency-Key', () => {
  let qemu: Qemu;
  let other: RawQmpClient;
  /** Reads nothing before it is asked, so that it has every event since QEMU's start. */
  let witness: RawQmpClient;

  const begin = async (): Promise<void> => {
    gateway = await scene.gateway({ state, args: ['--vm', `${vm}=unix:${qemu.socket}`] });
    await gateway.vmBecomes(vm, 'ready');
  };
  const client = async (socket = ''): Promise<RawQmpClient> => {
    const made = scene.keep(await RawQmpClient.connect(socket), (each) => each.close());
    await made.negotiate();
    return made;
  };

  beforeEach(async () => {
    const source = path.join(scene.directory(), 'source');
    // Data, not a hole: holes are copied by not copying them.
    writeFileSync(source, Buffer.alloc(size, 0x5a));
    qemu = await scene.qemu({
      qmpSockets: 3,
      args: [
        ...['-blockdev', `driver=file,node-name=source,filename=${source}`],
        ...['-blockdev', `driver=null-co,node-name=target,size=${size}`],
      ],
    });
    state = path.join(scene.directory(), 'state');
    await begin();
    other = await client(qemu.sockets[1]);
    witness = await client(qemu.sockets[2]);
  });

  const backup = { 'job-id': 'nightly', device: 'source', target: 'target', sync: 'full', speed: mebibyte };
  const start = (headers = {}): Promise<Exchange> =>
    run(gateway, vm, 'blockdev-backup', {
      args: JSON.stringify(backup),
      headers: { 'Idempotency-Key': 'nightly-1', ...headers },
    });

  const jobs = async (): Promise<string> => other.command('{"execute":"query-jobs"}');

  /** How many jobs QEMU says it ever made. */
  async function created(): Promise<number> {
    witness.write('{"execute":"query-jobs"}\n');
    for (let count = 0; ;) {
      const line = (await witness.line()) ?? '';
      if (line.includes('"return"')) return count;
      if (line.includes('JOB_STATUS_CHANGE') && line.includes('"created"')) count++;
    }
  }

  it('is not started a second time when the gateway is killed in the middle of it', async () => {
    const first = await start();
    expect(first.status).toBe(200);
    await kill();
    await begin();
    const retry = await start();
    expect([retry.status, retry.text, retry.headers['idempotency-replayed']]).toEqual([200, first.text, 'true']);
    expect(retry.headers['qmp-operation']).toBe(first.headers['qmp-operation']);
    const followed = await start({ Prefer: 'respond-async' });
    expect([followed.status, followed.headers['idempotency-replayed']]).toEqual([202, 'true']);
    expect(await operationAt(gateway, String(followed.headers.location))).toMatchObject({ state: 'running' });
    expect((await jobs()).split('"id"')).toHaveLength(2);
    expect(await created()).toBe(1);
  });

  it('is not started a second time when it has ended before there was another gateway', async () => {
    const first = await start();
    await kill();
    await other.command('{"execute":"block-job-set-speed","arguments":{"device":"nightly","speed":0}}');
    while ((await jobs()).includes('"id"'));
    await begin();
    const retry = await start();
    expect([retry.status, retry.text, retry.headers['idempotency-replayed']]).toEqual([200, first.text, 'true']);
    expect(await created()).toBe(1);
  });

  it('is not started a second time when the gateway is killed before the reply, and its operation tells of it', async () => {
    qemu.kill('SIGSTOP');
    const first = start().then(
      () => 'answered',
      () => 'cut off',
    );
    const path = `/v1/vms/${vm}/operations`;
    let operation: { id?: string; epoch?: string | null } = {};
    while (typeof operation.epoch !== 'string')
      [operation = {}] = (await exchange(gateway, path)).json()['operations'] as (typeof operation)[];
    await kill();
    expect(await first).toBe('cut off');
    qemu.kill('SIGCONT');
    await begin();
    const retry = await start();
    expect(problemOf(retry)).toMatchObject({
      ...{ status: 502, code: 'outcome-unknown', outcome: 'unknown', retryable: false },
      ...{ vm, command: 'blockdev-backup', operation: `${path}/${String(operation.id)}` },
    });
    expect(retry.headers['qmp-operation']).toBe(operation.id);
    expect(retry.headers['idempotency-replayed']).toBe('true');
    expect(await operationAt(gateway, `${path}/${String(operation.id)}`)).toMatchObject({ id: operation.id });
    expect(await created()).toBeLessThanOrEqual(1);
  });
});

describe('commands under Idempotency-Keys', () => {
  const count = 60;
  let machine: FakeMachine;
  /** Whether the VM leaves every fourth command without its reply. */
  let isStuck: boolean;

  const begin = async (): Promise<void> => {
    gateway = await scene.gateway({
      state,
      settings: fakeMachineSettings,
      args: ['--vm', `${vm}=${machine.endpoint}`],
    });
    await gateway.vmBecomes(vm, 'ready');
  };
  beforeEach(async () => {
    machine = await fakeMachine(scene);
    machine.fake.on(change, (command) =>
      isStuck && numberOf(command) % 4 === 0 ? null : { return: numberOf(command) },
    );
    isStuck = true;
    state = path.join(scene.directory(), 'state');
    await begin();
  });

  const numberOf = (command: FakeCommand): number => (command.arguments as { integer: number }).integer;
  const received = (): number[] => machine.received.map(numberOf);
  const post = (number: number): Promise<Exchange> =>
    run(gateway, vm, change, { args: `{"integer":${number}}`, headers: { 'Idempotency-Key': `key-${number}` } });

  /** By REST and by JSON-RPC in turn. @returns the numbers of those that were answered, as they are */
  async function sendAll(): Promise<Set<number>> {
    const answered = new Set<number>();
    const client = scene.keep(await JsonRpcClient.connect(gateway), (each) => each.close());
    for (let number = 0; number < count; number++) {
      const params = `{"vm":"${vm}","command":"${change}","arguments":{"integer":${number}},"idempotencyKey":"key-${number}"}`;
      const answer = number % 2 === 0 ? post(number) : client.request('execute', params);
      answer.then(
        () => answered.add(number),
        () => undefined,
      );
    }
    return answered;
  }

  /** The first answer that is more than: not now. */
  async function repeat(number: number): Promise<Exchange> {
    for (;;) {
      const answer = await post(number);
      if (answer.status !== 503) return answer;
      await exchange(gateway, `/v1/vms/${vm}?wait=30s`);
    }
  }

  it.each([0, 1, 4, 17, 32])(
    'arrive once at most, in whatever state they were when the gateway was killed after %i of them had arrived',
    async (arrivals) => {
      const enough = new Promise<void>((resolve) => {
        const look = (): void => {
          if (received().length >= arrivals) resolve();
          else void machine.fake.next(change).then(look);
        };
        look();
      });
      const answered = await sendAll();
      await enough;
      const before = new Set(answered);
      await kill();
      isStuck = false;
      await begin();
      const arrived = new Set(received());
      for (let number = 0; number < count; number++) {
        const answer = await repeat(number);
        const isReplayed = answer.headers['idempotency-replayed'] === 'true';
        if (answer.status === 200) expect([answer.text, isReplayed]).toEqual([`${number}`, arrived.has(number)]);
        else expect([problemOf(answer)['code'], isReplayed]).toEqual(['outcome-unknown', true]);
        // Who had the answer gets it again.
        if (before.has(number)) expect(answer.status).toBe(200);
      }
      expect(new Set(received()).size).toBe(received().length);
    },
  );

  it('are refused, and only they, when a key cannot be written down', async () => {
    // What the file would be named is taken, as a disk takes no more for a moment.
    mkdirSync(path.join(state, 'idempotency-1.log'));
    const refused = await post(1);
    expect(problemOf(refused)).toMatchObject({
      ...{ status: 503, code: 'idempotency-unavailable', outcome: 'not-sent', retryable: true },
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(received()).toEqual([]);
    expect((await run(gateway, vm, change, '{"integer":2}')).text).toBe('2');
    expect((await post(1)).text).toBe('1');
    expect(received()).toEqual([2, 1]);
    const told = () => gateway.log().filter(({ msg }) => String(msg).startsWith('idempotency keys'));
    // The log comes by another way than the answer.
    await expect.poll(() => told().map(({ level }) => level)).toEqual([50, 40]);
  });
});
