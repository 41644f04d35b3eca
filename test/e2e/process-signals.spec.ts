import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { qmpGateway } from './command-line.js';
import { GatewayScene } from './gateway-scene.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const launcher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));

/** `serve` at any free port, from the moment at which it handles signals. */
async function beginning(env: Readonly<Record<string, string>> = {}) {
  // Says so as soon as the first handler is there: the rest of the gateway is not loaded yet.
  const told = path.join(scene.directory(), 'told.mjs');
  writeFileSync(
    told,
    "process.on('newListener', (name) => { if (name === 'SIGHUP') process.nextTick(() => process.stderr.write('handled\\n')); });",
  );
  const child = spawn(process.execPath, ['--import', told, launcher, 'serve', '--listen', '127.0.0.1:0'], {
    cwd: scene.directory(),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  scene.keep(child, () => child.kill('SIGKILL'));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: string[] = [];
  const logged = createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  await once(logged, 'line');
  const says = (text: string) => vi.waitFor(() => expect(lines.join('\n')).toContain(text), { timeout: 30_000 });
  return { child, ended, says };
}

describe('a signal while the gateway is starting', () => {
  it('SIGHUP does not end it: it reloads when it has started', async () => {
    const { child, ended, says } = await beginning();
    child.kill('SIGHUP');
    await says('settings and the files they name read again');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends it at once, with status 0', async (signal) => {
    const { child, ended } = await beginning();
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
  });
});

describe('the exit status of a start', () => {
  it('is 75 for what may pass, 2 as soon as something in the text is wrong', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.keep(server, () => server.close());
    const used = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const serve = (...args: string[]) => qmpGateway(scene, ['serve', ...args]);
    expect(await serve('--listen', used)).toMatchObject({
      ...{ status: 75, stderr: expect.stringContaining('already in use') as string },
    });
    expect(await serve('--listen', '192.0.2.1:8080', '--tls-cert', '/none', '--tls-key', '/none')).toMatchObject({
      status: 75,
    });
    expect(await serve('--listen', '127.0.0.1:0', '--state', '/dev/null/state')).toMatchObject({ status: 75 });
    expect(await serve('--listen', used, '--log-level', 'loud')).toMatchObject({ status: 2 });
  });
});

describe('a service manager', () => {
  it('is told of start, reload and stop in this order, and that the gateway lives', async () => {
    const [bin, heard] = [scene.directory(), path.join(scene.directory(), 'heard')];
    const program = path.join(bin, 'systemd-notify');
    writeFileSync(program, `#!/bin/sh\necho "$@" >> '${heard}'\n`);
    chmodSync(program, 0o755);
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/none', WATCHDOG_USEC: '300000' };
    const { child, ended } = await beginning(env);
    const hears = (pattern: RegExp) =>
      vi.waitFor(() => expect(existsSync(heard) ? readFileSync(heard, 'utf8') : '').toMatch(pattern), {
        timeout: 30_000,
      });
    await hears(/^READY=1 [^]*WATCHDOG=1\n[^]*WATCHDOG=1\n/);
    child.kill('SIGHUP');
    await hears(/\nRELOADING=1 MONOTONIC_USEC=\d+ [^]*\nREADY=1 /);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    await hears(/\nSTOPPING=1 /);
  });
});

describe('qmp-gateway health', () => {
  it('finds the gateway where the settings say it listens, with TLS or without', async () => {
    const gateway = await scene.gateway();
    const { port } = new URL(gateway.url);
    const health = (listen: string) => qmpGateway(scene, ['health'], { QMPGW_LISTEN: listen });
    expect(await health(`127.0.0.1:${port}`)).toEqual({ status: 0, stdout: 'alive\n', stderr: '' });
    expect(await health(`0.0.0.0:${port}`)).toMatchObject({ status: 0 });
    await gateway.stop();
    expect(await health(`127.0.0.1:${port}`)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^not alive: .*ECONNREFUSED/) as string,
    });
  });
});
