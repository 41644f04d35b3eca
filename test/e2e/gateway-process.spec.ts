import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { openLines } from './event-readers.js';
import { change, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';
import { refusesConnections } from './pipelined-at-shutdown.js';

const scene = new GatewayScene();
const launcher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));

afterEach(() => scene.end());

/** Runs the command line to its end. */
async function qmpGateway(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: scene.directory(),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  scene.keep(child, () => child.kill('SIGKILL'));
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

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

describe('settings faults', () => {
  it('are a line each, with path and reason, and exit 2', async () => {
    const file = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(
      file,
      JSON.stringify({
        lisen: [],
        listen: ['nowhere'],
        auth: 'maybe',
        limits: { queue: 0, bodyByte: '1MiB', commandBytes: '64 kilo' },
        vms: { 'bad id': { endpoint: 'unix:/a' }, web: { endpoint: 'ftp:/a', kind: 'vmware' } },
        allowedOrigins: ['https://dash.example.org/path'],
        audit: { required: 'yes' },
      }),
    );
    const { status, stdout, stderr } = await qmpGateway(['serve', '--config', file]);
    expect([status, stdout]).toEqual([2, '']);
    const lines = stderr.trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^[\w. -]+: \S/);
    const paths = lines.map((line) => line.slice(0, line.indexOf(': '))).sort();
    expect(paths).toEqual(
      [
        ...['lisen', 'listen.0', 'auth', 'limits.queue', 'limits.bodyByte', 'limits.commandBytes'],
        ...['vms', 'vms.web.endpoint', 'vms.web.kind', 'allowedOrigins.0', 'audit.required'],
      ].sort(),
    );
    expect(stderr).toContain('did you mean listen');
  });

  it.each([
    ['a VM without endpoint', ['--vm', 'web'], /^vm: /],
    ['a VM given twice', ['--vm', 'a=unix:/a', '--vm', 'a=unix:/b'], /^vms\.a: /],
    ['a file that is not there', ['--config', '/nonexistent.yaml'], /^\/nonexistent\.yaml: /],
    ['no authentication where others can come', ['--auth', 'none', '--listen', '0.0.0.0:0'], /^auth: /],
    ['host commands without auth none', ['--allow-host'], /^allowHost: /],
    ['an address of no use', ['--listen', 'localhost'], /^listen\.0: /],
    ['a level of logs that is none', ['--log-level', 'loud'], /^logLevel: /],
  ])('%s', async (_, args, line) => {
    const { status, stdout, stderr } = await qmpGateway(['serve', ...args]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(line)]);
  });

  it('an address in use', async () => {
    const other = scene.keep(createServer(), (server) => server.close());
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const state = path.join(scene.directory(), 'state');
    const { status, stderr } = await qmpGateway([
      'serve',
      '--listen',
      `127.0.0.1:${port}`,
      '--state',
      state,
      '--log-level',
      'silent',
    ]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^listen: .* in use\n$/)]);
  });
});

describe('the command line', () => {
  it('prints its version', async () => {
    expect(await qmpGateway(['version'])).toEqual({
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
