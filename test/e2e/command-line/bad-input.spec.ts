import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import {
  clientHome,
  clientLauncher,
  ended,
  inHome,
  runClient,
  type ClientHome,
  type ClientResult,
} from './client-process.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;
let home: ClientHome;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: { vms: { away: { endpoint: 'unix:/nowhere/away.qmp' } } } });
  vm = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'q35' })).socket}`);
  home = clientHome(scene, gateway);
});
afterAll(() => scene.end());

const qmpctl = (...args: string[]): Promise<ClientResult> => runClient(scene, home, args);
const withEnv = (env: Record<string, string>, ...args: string[]): Promise<ClientResult> =>
  runClient(scene, { ...home, env: { ...home.env, ...env } }, args);

/** One line on stderr, nothing on stdout. */
function expectLine({ status, stdout, stderr }: ClientResult, expected: number, ...parts: readonly string[]): void {
  expect([status, stdout, stderr]).toEqual([expected, '', expect.stringMatching(/^qmpctl: [^\n]+\n$/)]);
  for (const part of parts) expect(stderr).toContain(part);
}

describe('what is named wrong', () => {
  it('a VM: the nearest id', async () => {
    expectLine(await qmpctl('vm', `${vm}x`), 3, 'vm-not-found', vm);
    expectLine(await qmpctl('exec', `${vm}x`, 'stop'), 3, vm);
  });

  it('a command: the nearest name, with arguments too', async () => {
    expectLine(await qmpctl('exec', vm, 'query-statsu'), 3, 'query-status');
    expectLine(await qmpctl('exec', vm, 'device_ad', 'driver=e1000'), 3, 'device_add');
  });

  it('an argument: the key as it was typed', async () => {
    expectLine(await qmpctl('exec', vm, 'qom-list', 'pth=/machine'), 2, 'pth: ', 'path');
    const nested = ['driver=qcow2', 'node-name=a', 'file.driver=file', 'file.filenam=/x'];
    expectLine(await qmpctl('exec', vm, 'blockdev-add', ...nested), 2, 'file.filenam: ', 'filename');
    expectLine(
      await qmpctl('exec', vm, 'blockdev-add', '--json', '{"driver":"nul-co","node-name":"a"}'),
      2,
      'driver: ',
      'null-co',
    );
  });

  it('a property of a device: that the VM lists none, and how to see which it does', async () => {
    const typed = ['driver=virtio-rng-pci', 'id=rng9', 'max-byts=1'];
    const look = `qmpctl exec ${vm} device-list-properties typename=virtio-rng-pci`;
    expectLine(await qmpctl('exec', vm, 'device_add', ...typed), 1, 'lists no max-byts', look);
  });

  it('a word of the command line: the nearest one', async () => {
    expectLine(await qmpctl('vmms'), 2, "unknown command 'vmms'", 'vms');
    expectLine(await qmpctl('vms', '--wach'), 2, '--watch');
    expectLine(await qmpctl('vms', '-o', 'xml'), 2, '-o xml', 'jsonl');
    expectLine(await qmpctl('wait', vm), 2, '--for');
    expectLine(await qmpctl('exec', vm), 2, "missing required argument 'command'", 'qmpctl --help');
  });
});

describe('credentials', () => {
  it('none at all', async () => {
    expectLine(await withEnv({ QMPGW_TOKEN: '' }, 'vms'), 1, 'unauthenticated', 'qmpctl login');
    expectLine(await withEnv({ QMPGW_TOKEN: '', QMPGW_URL: '' }, 'vms'), 2, 'no gateway is known', 'login');
  });

  it('a login without a token', async () => {
    const result = await runClient(scene, clientHome(scene), ['login', gateway.url]);
    expectLine(result, 1, 'no token came', `qmpctl login ${gateway.url} <FILE`);
  });

  it('that have expired, with nothing of the token', async () => {
    const token = makeToken(gateway, { level: 'read', vms: ['*'], expires: new Date(Date.now() - 1000) });
    const result = await withEnv({ QMPGW_TOKEN: token }, 'vms');
    expectLine(result, 1, 'unauthenticated', 'expired or was revoked');
    expect(result.stderr).not.toContain(token.split('_')[2]);
  });

  it('that may not', async () => {
    const token = makeToken(gateway, { level: 'read', vms: ['*'] });
    expectLine(await withEnv({ QMPGW_TOKEN: token }, 'exec', vm, 'stop'), 1, 'forbidden', 'operate');
  });

  it('that others may read are not used', async () => {
    const own = clientHome(scene);
    const kept = await runClient(scene, own, ['login', gateway.url], `${gateway.token}\n`);
    expect(kept.status).toBe(0);
    chmodSync(inHome(own, '.config/qmp-gateway/login.json'), 0o644);
    expectLine(await runClient(scene, own, ['vms']), 2, 'chmod 600');
  });
});

describe('a gateway', () => {
  it('that is away', async () => {
    expectLine(await withEnv({ QMPGW_URL: 'http://127.0.0.1:1' }, 'exec', vm, 'stop'), 3, 'nothing listens there');
    expectLine(await withEnv({ QMPGW_URL: 'unix:/nowhere/gw.sock' }, 'vms'), 3, 'there is no such socket');
    expectLine(await withEnv({ QMPGW_URL: 'gw.example' }, 'vms'), 2, 'is not the address of a gateway');
  });

  it('that goes away with a command leaves its outcome open', async () => {
    const server = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1');
    scene.keep(server, () => server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expectLine(await withEnv({ QMPGW_URL: url }, 'exec', vm, 'stop'), 4, 'not known');
  });

  it('that is something else', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('nothing')).listen(0, '127.0.0.1');
    scene.keep(server, () => server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expectLine(await withEnv({ QMPGW_URL: url }, 'vms'), 3, 'something else');
  });
});

describe('a VM', () => {
  it('that is away', async () => {
    expectLine(await qmpctl('exec', 'away', 'query-status'), 3, 'away', 'vm-unavailable', 'no-such-file');
  });

  it('that refuses', async () => {
    expectLine(await qmpctl('exec', vm, 'device_del', 'id=nobody'), 1, 'nobody');
  });

  it('chooses texts that a terminal must not obey', async () => {
    await exchange(gateway, `/v1/vms/${vm}`);
    const { stdout } = await qmpctl('exec', vm, 'query-status', '-o', 'table');
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe('streams', () => {
  it('that nobody reads any more end without a word', async () => {
    const line = `set -o pipefail; '${process.execPath}' '${clientLauncher}' events -f --after oldest | head -n 1`;
    const child = spawn('bash', ['-c', line], { env: home.env });
    let isRunning = true;
    const result = ended(scene.keep(child, () => child.kill('SIGKILL'))).finally(() => (isRunning = false));
    // It is told by the next line that it writes.
    await expect
      .poll(
        async () => {
          for (const command of ['cont', 'stop']) await run(gateway, vm, command);
          return isRunning;
        },
        { timeout: 40_000 },
      )
      .toBe(false);
    const { status, stdout, stderr } = await result;
    expect([status, stdout.trimEnd().split('\n').length, stderr]).toEqual([0, 1, '']);
  });

  it('are not a terminal where one is needed', async () => {
    expectLine(await qmpctl('serial', vm), 2, 'not a terminal', '--text');
  });
});
