import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new GatewayScene();
afterEach(() => scene.end());
afterAll(() => scene.end());

describe('requestsPerSecond', () => {
  it('is told in every answer, and refuses what is beyond it, by every way in', async () => {
    const gateway = await scene.gateway({ settings: { ...fakeMachineSettings, limits: { requestsPerSecond: 20 } } });
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    const token = makeToken(gateway, { level: 'operate', vms: ['*'] });
    const own = { ...gateway, token };
    const first = await run(own, vm, 'stop');
    expect(first.headers).toMatchObject({
      'ratelimit-limit': '20',
      'ratelimit-remaining': '19',
      'ratelimit-reset': '1',
    });
    const since = performance.now();
    /** What may have been let through since, at most. */
    const allowance = () => 20 + Math.ceil((20 * (performance.now() - since)) / 1000);
    const burst = await Promise.all(Array.from({ length: 200 }, () => exchange(own, '/v1/vms')));
    const refused = burst.filter(({ status }) => status === 429);
    expect(burst.length - refused.length).toBeLessThanOrEqual(allowance());
    expect(refused[0]?.json()).toMatchObject({ code: 'too-many-requests', outcome: 'not-sent', retryable: true });
    expect(refused[0]?.headers).toMatchObject({
      'ratelimit-limit': '20',
      'ratelimit-remaining': '0',
      'retry-after': '1',
    });
    // Another principal has a bucket of its own.
    expect((await exchange(gateway, '/v1/vms')).status).toBe(200);

    const rpc = scene.keep(await JsonRpcClient.connect(gateway), (client) => client.close());
    machine.takeReceived();
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => rpc.request('execute', `{"vm":"${vm}","command":"stop"}`)),
    );
    const done = answers.filter(({ error }) => error === undefined).length;
    expect(answers.filter(({ error }) => error?.data?.['code'] === 'too-many-requests')).toHaveLength(200 - done);
    expect(done).toBeLessThanOrEqual(allowance());
    expect(machine.takeReceived()).toHaveLength(done);
  });

  it('is neither told nor kept when it is not set', async () => {
    const gateway = await scene.gateway();
    const answer = await exchange(gateway, '/v1/vms');
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });
});

it('guessing gets slower, and costs those who know nothing', async () => {
  const gateway = await scene.gateway();
  const told: string[] = [];
  const ask = async (who: string, token = gateway.token) => {
    const { status } = await exchange({ ...gateway, token }, '/v1/vms');
    told.push(`${who} ${status}`);
  };
  const guess = () => ask('guess', 'qmpgw_abc_0123456789012345678901');
  for (let attempt = 0; attempt < 9; attempt++) await guess();
  told.length = 0;
  const slow = guess();
  await ask('owner');
  await slow;
  expect(told).toEqual(['owner 200', 'guess 401']);
});

it('holds so many connections, and closes the next', async () => {
  const gateway = await scene.gateway({ settings: { limits: { connections: 3 } } });
  const { hostname, port } = new URL(gateway.url);
  const open = () => connect(Number(port), hostname).on('error', () => undefined);
  const held = [open(), open(), open()];
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const answered = async (socket: ReturnType<typeof open>) => {
    socket.write(`GET /livez HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
    return new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false));
    });
  };
  for (const socket of held) expect(await answered(socket)).toBe(true);
  const next = open();
  expect(await answered(next)).toBe(false);
  held[0]?.destroy();
  // Its place is free when the gateway has seen it close.
  await expect.poll(() => answered(open()), { timeout: 5_000 }).toBe(true);
  for (const socket of held) socket.destroy();
});
