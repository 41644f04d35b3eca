import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
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

describe('connections', () => {
  const open = (gateway: GatewayProcess) => {
    const { hostname, port } = new URL(gateway.url);
    return connect(Number(port), hostname).on('error', () => undefined);
  };
  /** The status of the answer; null when the connection is closed without one. */
  const ask = (gateway: GatewayProcess, socket: Socket, token: string | undefined, path = '/v1/vms') => {
    const credentials = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${new URL(gateway.url).host}\r\n${credentials}\r\n`);
    return new Promise<number | null>((resolve) => {
      socket.once('data', (head: Buffer) => resolve(Number(head.toString('latin1', 9, 12))));
      socket.once('close', () => resolve(null));
    });
  };

  it('of one principal are half of all, those of all leave room to tell the next, and closed ones are free again', async () => {
    const gateway = await scene.gateway({ settings: { limits: { connections: 10 } } });
    const reader = () => makeToken(gateway, { level: 'read', vms: ['*'] });
    const [first, second] = [reader(), reader()];
    const held: Socket[] = [];
    const hold = async (token: string) => {
      const socket = open(gateway);
      held.push(socket);
      return ask(gateway, socket, token);
    };
    const statuses = async (token: string, count: number) => {
      const seen: (number | null)[] = [];
      for (let n = 0; n < count; n++) seen.push(await hold(token));
      return seen;
    };
    expect(await statuses(first, 6)).toEqual([200, 200, 200, 200, 200, 429]);
    // The tenth place is for whoever comes next.
    expect(await statuses(second, 5)).toEqual([200, 200, 200, 200, 429]);
    expect(await ask(gateway, open(gateway), undefined, '/livez')).toBe(200);
    held[0]?.destroy();
    // Its place is free when the gateway has seen it close.
    await expect.poll(() => hold(first), { timeout: 5_000 }).toBe(200);
    for (const socket of held) socket.destroy();
  });

  it('without credentials give way to newer ones, and never push out others', async () => {
    const gateway = await scene.gateway({ settings: { limits: { connections: 10 } } });
    const good = open(gateway);
    expect(await ask(gateway, good, gateway.token)).toBe(200);
    const idle = Array.from({ length: 40 }, () => open(gateway));
    const gone = idle.slice(0, 31).map((socket) => once(socket, 'close'));
    await Promise.all(gone);
    expect(idle.slice(31).some(({ destroyed }) => destroyed)).toBe(false);
    expect(await ask(gateway, good, gateway.token)).toBe(200);
    expect(await ask(gateway, open(gateway), gateway.token)).toBe(200);
    for (const socket of [...idle, good]) socket.destroy();
  });
});
