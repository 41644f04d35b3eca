import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const launcher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));
const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await scene.gateway();
});
afterAll(() => scene.end());

function command(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}
const token = (...args: string[]) => command('token', ...args, '--state', gateway.state);
const access = async (text: string) => exchange({ ...gateway, token: text.trim() }, '/v1/access');

describe('token create', () => {
  it('prints the token alone, and the running gateway takes it at once', async () => {
    const { status, stdout, stderr } = await token('create', '--level', 'read');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^qmpgw_[a-z0-9]+_[A-Za-z0-9_-]+\n$/);
    const answer = await access(stdout);
    expect(answer.json()).toEqual({
      principal: `token:${stdout.split('_')[1] ?? ''}`,
      level: 'read',
      vms: ['*'],
      commands: { allow: ['*'], deny: [] },
    });
  });

  it('takes scope, commands, life and name', async () => {
    const { stdout } = await token(
      ...['create', '--level', 'operate', '--vms', 'web-*', '--vms', 'label:tenant=a', '--expires', '30d'],
      ...['--name', 'deploys', '--allow', 'query-*', '--allow', 'stop', '--deny', 'query-vnc'],
    );
    expect((await access(stdout)).json()).toMatchObject({
      level: 'operate',
      vms: ['web-*', 'label:tenant=a'],
      commands: { allow: ['query-*', 'stop'], deny: ['query-vnc'] },
    });
    const { stdout: list } = await token('list');
    const row = list
      .split('\n')
      .find((line) => line.includes('deploys'))
      ?.split('\t');
    expect(row?.slice(1, 3)).toEqual(['operate', 'web-*,label:tenant=a']);
    expect(Date.parse(row?.[3] ?? '') - Date.now()).toBeGreaterThan(29 * 86_400_000);
  });

  it('says everything that is wrong, a line each, and ends with 2', async () => {
    const { status, stdout, stderr } = await token('create', '--level', 'boss', '--vms', 'a b', '--expires', 'soon');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(
      stderr
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(':')[0]),
    ).toEqual([...['--level', '--vms', '--expires']]);
  });

  it('loses none of several at once', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => token('create', '--level', 'read')));
    for (const { stdout } of made) expect((await access(stdout)).status).toBe(200);
  });
});

it('token revoke ends it in the running gateway, and is audited', async () => {
  const { stdout } = await token('create', '--level', 'read');
  const id = stdout.split('_')[1] ?? '';
  expect((await access(stdout)).status).toBe(200);
  expect(await token('revoke', id)).toEqual({ status: 0, stdout: '', stderr: '' });
  await expect.poll(async () => (await access(stdout)).status, { timeout: 5_000 }).toBe(401);
  const lines = readFileSync(path.join(gateway.state, 'audit.log'), 'utf8');
  expect(lines).toContain(`"principal":"command-line","change":"token-revoked","token":"${id}"`);
  expect(lines).not.toContain(stdout.trim().split('_').slice(2).join('_'));
  const again = await token('revoke', id);
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('no token');
});

describe('check-config', () => {
  it('accepts what serve accepts, and starts nothing', async () => {
    expect(await command('check-config', '--vm', 'a=unix:/run/a.qmp')).toMatchObject({
      status: 0,
      stdout: 'the settings are valid\n',
    });
  });

  it('names each fault with its path, in files the settings name too', async () => {
    const { status, stderr } = await command('check-config', '--listen', 'nowhere', '--auth', 'maybe');
    expect(status).toBe(2);
    expect(stderr.split('\n').map((line) => line.split(':')[0])).toEqual(['listen.0', 'auth', '']);
    const files = await command(
      'check-config',
      '--catalog',
      '/nosuch',
      '--tls-cert',
      '/nosuch',
      '--tls-key',
      '/nosuch',
    );
    expect(files.status).toBe(2);
    expect(files.stderr.split('\n').map((line) => line.split(':')[0])).toEqual(['catalogs', 'tls.cert', '']);
  });
});
