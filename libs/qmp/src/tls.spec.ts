import { chmodSync, existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';
import { connect as connectTls, createServer, type TlsOptions as ServerOptions } from 'node:tls';
import { fullBacklog, RawQmpClient, Scene, makeCertificates, probe, type FakeMonitor } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from './endpoint.js';

const scene = new Scene();
const { ca, server, client, stranger } = makeCertificates();

afterEach(() => scene.end());

/** A monitor behind TLS that wants a client certificate. */
async function tlsMonitor(options: ServerOptions = {}): Promise<{ fake: FakeMonitor; endpoint: Endpoint }> {
  const fake = await scene.fake();
  const listener = createServer(
    { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true, ...options },
    (socket) => fake.attach(socket),
  );
  listener.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  scene.keep(listener, (made) => made.close());
  return { fake, endpoint: { kind: 'tls', host: '127.0.0.1', port: (listener.address() as AddressInfo).port } };
}

describe('tls', () => {
  it('shows its certificate and runs commands of any size', async () => {
    const { fake, endpoint } = await tlsMonitor();
    fake.on('big', ({ arguments: args }) => ({ return: args }));
    const { monitor } = await scene.ready(endpoint, { tls: { ca: ca.cert, ...client } });
    const argumentsJson = JSON.stringify({ text: 'x'.repeat(100_000) });
    expect(await probe(monitor, 'big', { argumentsJson }).outcome).toEqual({
      kind: 'return',
      value: Buffer.from(argumentsJson),
    });
  });

  it('checks the name it is told to check', async () => {
    const { endpoint } = await tlsMonitor();
    await scene.ready(endpoint, { tls: { ca: ca.cert, ...client, serverName: 'localhost' } });
    const { monitor, host } = scene.monitor(endpoint, {
      tls: { ca: ca.cert, ...client, serverName: 'vm.example.org' },
    });
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toBe('tls-failed');
  });

  it.each([
    ['an authority it does not trust', { ca: stranger.cert, ...client }, /tls-failed/],
    ['no client certificate', { ca: ca.cert }, /tls-closed-before-greeting|connection-reset/],
    ['a stranger’s certificate', { ca: ca.cert, ...stranger }, /tls-closed-before-greeting|connection-reset/],
  ])('fails with %s', async (_, tls, code) => {
    const { endpoint } = await tlsMonitor();
    const { monitor, host } = scene.monitor(endpoint, { tls });
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toMatch(code);
  });

  it('fails against a server that speaks plain text', async () => {
    const fake = await scene.fake({ listen: 'tcp' });
    const { monitor, host } = scene.monitor({ ...(fake.endpoint as Extract<Endpoint, { kind: 'tcp' }>), kind: 'tls' });
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toBe('tls-failed');
  });
});

/** Where the descriptors of this process lead; one that is closed meanwhile leads nowhere. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return [];
    }
  });
}

describe('listen:unix', () => {
  it('serves one peer at a time, and the next after it', async () => {
    const fake = await scene.fake();
    fake.on('ok', () => ({ json: '1' }));
    const socketPath = path.join(scene.directory(), 'in');
    const { monitor, host } = scene.monitor({ kind: 'listen-unix', path: socketPath });
    monitor.start();
    expect(await host.reached(monitor, 'waiting')).toMatchObject({ retryAt: null, lastError: { code: 'listening' } });
    fake.attach(connect(socketPath));
    await host.reached(monitor, 'ready');
    const second = await RawQmpClient.connect(socketPath);
    expect(await second.line()).toBeNull();
    expect(host.anomalies).toEqual([{ kind: 'peer-refused', detail: 'a second peer dialled in' }]);
    expect((await probe(monitor, 'ok').outcome).kind).toBe('return');
    fake.emit('SHUTDOWN');
    await host.until(() => host.events.length === 1);
    fake.connections[0]!.close();
    expect(await host.reached(monitor, 'closed')).toMatchObject({ retryAt: null });
    fake.attach(connect(socketPath));
    await host.reached(monitor, 'ready');
    await monitor.stop();
    await host.until(() => !existsSync(socketPath));
  });

  it('refuses a directory that others may enter, and takes over a socket left behind', async () => {
    const directory = scene.directory();
    const socketPath = path.join(directory, 'in');
    chmodSync(directory, 0o750);
    const open = scene.monitor({ kind: 'listen-unix', path: socketPath });
    open.monitor.start();
    expect((await open.host.reached(open.monitor, 'waiting')).lastError.code).toBe('insecure-directory');
    await open.monitor.stop();
    chmodSync(directory, 0o700);
    const [first, second] = [1, 2].map(() => scene.monitor({ kind: 'listen-unix', path: socketPath }));
    first!.monitor.start();
    await first!.host.reached(first!.monitor, 'waiting');
    second!.monitor.start();
    expect((await second!.host.reached(second!.monitor, 'waiting')).lastError.code).toBe('listen-failed');
  });

  it('takes no socket of a server that is too busy to accept, and says where', async () => {
    const socketPath = path.join(scene.directory(), 'in');
    scene.keep(await fullBacklog(socketPath), (busy) => busy.stop());
    const { ino } = lstatSync(socketPath);
    const { monitor, host } = scene.monitor({ kind: 'listen-unix', path: socketPath });
    monitor.start();
    const { lastError } = await host.reached(monitor, 'waiting');
    expect(lastError).toMatchObject({ code: 'listen-failed', detail: `${socketPath} is in use` });
    expect(lstatSync(socketPath).ino).toBe(ino);
  });

  it('stopped while it looks at the name, makes no socket', async () => {
    const directory = scene.directory();
    const socketPath = path.join(directory, 'in');
    const { monitor } = scene.monitor({ kind: 'listen-unix', path: socketPath });
    monitor.start();
    await monitor.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(existsSync(socketPath)).toBe(false);
    expect(openFiles()).not.toContain(directory);
  });
});

describe('listen:tls', () => {
  it('takes only peers with a certificate it trusts', async () => {
    const fake = await scene.fake();
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const { monitor, host } = scene.monitor(
      { kind: 'listen-tls', host: '127.0.0.1', port },
      { tls: { ca: ca.cert, ...server } },
    );
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toBe('listening');
    const refused = connectTls({ host: '127.0.0.1', port, ca: ca.cert, ...stranger });
    refused.on('error', () => undefined);
    await host.until(() => host.anomalies.length === 1);
    expect(host.anomalies[0]?.kind).toBe('peer-refused');
    fake.attach(connectTls({ host: '127.0.0.1', port, ca: ca.cert, ...client }));
    await host.reached(monitor, 'ready');
  });
});
