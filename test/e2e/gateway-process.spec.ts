import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { qmpGateway } from './command-line.js';
import { openLines } from './event-readers.js';
import { change, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';
import { refusesConnections } from './pipelined-at-shutdown.js';

const scene = new GatewayScene();

afterEach(() => scene.end());

describe('SIGTERM', () => {
  it('right after the listening line: exit 0', async () => {
    const gateway = await scene.gateway();
    expect(await gateway.stop()).toBe(0);
  });

  it('ends streams with a code that says come back, and does not wait for them', async () => {
    const gateway = await scene.gateway();
    const sse = await openLines(gateway, '/v1/events', 'text/event-stream');
    const ndjson = await openLines(gateway, '/v1/events', 'application/x-ndjson');
    const socket = await JsonRpcClient.connect(gateway);
    const stopped = gateway.stop();
    expect((await socket.closed).code).toBe(1001);
    while ((await sse.line()) !== null);
    expect(await ndjson.line()).toBeNull();
    expect(await stopped).toBe(0);
  });

  it('answers what is in flight before it ends, and takes nothing new', async () => {
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    machine.fake.on(change, () => null);
    const arrived = machine.fake.next(change);
    const answer = run(gateway, vm, change);
    const command = await arrived;
    gateway.process.kill('SIGTERM');
    // It accepts no connection any more once it has seen the signal.
    await refusesConnections(gateway);
    machine.fake.answer(command, { json: '{"late": 1}' });
    expect((await answer).text).toBe('{"late": 1}');
    expect(await gateway.ended).toBe(0);
  });
});

describe('the command line', () => {
  it('prints its version', async () => {
    expect(await qmpGateway(scene, ['version'])).toEqual({
      ...{ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/), stderr: '' },
    });
  });

  it('takes settings from flags before environment before file', async () => {
    const directory = scene.directory();
    const gateway = await scene.gateway({
      settings: { vms: { filed: { endpoint: `unix:${directory}/a` } }, logLevel: 'silent' },
      args: ['--vm', `flagged=unix:${directory}/b`],
      env: { QMPGW_VM: `environment=unix:${directory}/c`, QMPGW_LOG_LEVEL: 'debug' },
    });
    const { vms } = (await exchange(gateway, '/v1/vms')).json() as { vms: { id: string }[] };
    expect(vms.map(({ id }) => id)).toEqual(['filed', 'flagged']);
    expect(gateway.log().length).toBeGreaterThan(0);
  });

  it('listens on several addresses, unix sockets included', async () => {
    const socket = path.join(scene.directory(), 'gateway.sock');
    const gateway = await scene.gateway({ listen: ['127.0.0.1:0', `unix:${socket}`, '[::1]:0'] });
    expect(gateway.addresses).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      `unix:${socket}`,
      expect.stringMatching(/^http:\/\/\[::1\]:\d+$/),
    ]);
  });
});
