import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { FakeMonitor, ManualClock, Scene, probe, removeTempDir } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Semaphore } from '@qmp-gateway/qmp';
import { lastErrorCodeOf } from './transport.js';

const scene = new Scene();

afterEach(() => scene.end());

describe('dialling', () => {
  it('tells a missing file, one nobody listens on, one without permission, and one that is no socket', async () => {
    const directory = scene.directory();
    const stale = path.join(directory, 'stale');
    // A file bound and left: its server is gone without unlinking it.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(stale, resolve));
    linkSync(stale, path.join(directory, 'kept'));
    await new Promise((resolve) => server.close(resolve));
    mkdirSync(path.join(directory, 'closed'));
    writeFileSync(path.join(directory, 'file'), '');
    for (const [name, code] of [
      ['missing', 'no-such-file'],
      ['missing/further', 'no-such-file'],
      ['kept', 'refused'],
      ['file', 'refused'],
      ['file/x', 'connect-failed'],
    ] as const) {
      const { monitor, host } = scene.monitor(path.join(directory, name));
      monitor.start();
      const { lastError } = await host.reached(monitor, 'waiting');
      expect({ name, code: lastError.code }).toEqual({ name, code });
      expect(monitor.lastError).toBe(lastError);
    }
  });

  it('tells a port nobody listens on', async () => {
    const fake = await FakeMonitor.start({ listen: 'tcp' });
    const { endpoint } = fake;
    await fake.stop();
    const { monitor, host } = scene.monitor(endpoint);
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toBe('refused');
  });

  it.each([
    ['EACCES', 'no-permission'],
    ['EPERM', 'no-permission'],
    ['EAGAIN', 'backlog-full'],
    ['ENOTFOUND', 'unreachable'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ETIMEDOUT', 'connect-timeout'],
    ['EMFILE', 'connect-failed'],
    ['CERT_HAS_EXPIRED', 'tls-failed'],
  ])('takes %s for %s', (code, fault) => expect(lastErrorCodeOf({ code }, code.startsWith('CERT'))).toBe(fault));

  it('gives up a connection that is not made in time', async () => {
    const clock = new ManualClock();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    scene.keep(silent, (server) => server.close());
    const { port } = silent.address() as { port: number };
    const staged = scene.monitor({ kind: 'tls', host: '127.0.0.1', port }, { clock });
    const accepted = new Promise<void>((resolve) =>
      silent.once('connection', (socket) => {
        scene.keep(socket, (peer) => peer.destroy());
        resolve();
      }),
    );
    staged.monitor.start();
    await accepted;
    clock.advance(5000);
    expect(staged.monitor.state).toMatchObject({ name: 'waiting', lastError: { code: 'connect-timeout' } });
  });

  it('waits with exponential back-off and full jitter', async () => {
    const clock = new ManualClock();
    const fake = await FakeMonitor.start({ listen: 'tcp' });
    const { endpoint } = fake;
    await fake.stop();
    const { monitor, host } = scene.monitor(endpoint, { clock, random: () => 0.5 });
    monitor.start();
    const waits: number[] = [];
    for (let dial = 0; dial < 8; dial++) {
      await host.until(() => host.stateNames.filter((name) => name === 'waiting').length === dial + 1);
      const { retryAt, since } = monitor.state as { retryAt: number; since: number };
      waits.push(retryAt - since);
      clock.advance(retryAt - since);
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500]);
  });

  it('stays as it is while the socket file is missing, and dials at once when it appears', async () => {
    const clock = new ManualClock();
    const socketPath = path.join(scene.directory(), 'late');
    const { monitor, host } = scene.monitor(socketPath, { clock, random: () => 1 });
    monitor.start();
    await host.reached(monitor, 'waiting');
    clock.advance(60_000);
    expect(host.stateNames).toEqual(['connecting', 'waiting']);
    expect((monitor.state as { retryAt: number }).retryAt).toBeGreaterThan(clock.wall());
    // The clock stands still from here on: only the file can cause the dial.
    await scene.fake({ path: socketPath });
    await host.until(() => host.states.length > 2);
    expect(host.stateNames[2]).toBe('connecting');
    // It may have been bound, but not listening yet.
    await host.until(() => {
      if (monitor.state.name === 'waiting') setImmediate(() => clock.advance(100));
      return monitor.state.name === 'ready';
    });
  });

  it('never has more dials in progress than the gate lets in', async () => {
    const gate = new Semaphore(3);
    let most = 0;
    const fakes = await Promise.all(Array.from({ length: 12 }, () => scene.fake()));
    const staged = fakes.map((fake) => scene.monitor(fake.endpoint, { dialGate: gate }));
    for (const { monitor, host } of staged) {
      const told = host.stateChanged.bind(host);
      host.stateChanged = (state) => {
        most = Math.max(most, gate.taken);
        told(state);
      };
      monitor.start();
    }
    await Promise.all(staged.map(({ monitor, host }) => host.reached(monitor, 'ready')));
    expect(most).toBe(3);
    expect(gate.taken).toBe(0);
  });

  it('leaves the gate when stopped while it dials, or while it waits to', async () => {
    const gate = new Semaphore(1);
    const fake = await scene.fake();
    const [first, second, third] = [1, 2, 3].map(() => scene.monitor(fake.endpoint, { dialGate: gate }));
    for (const staged of [first, second, third]) staged!.monitor.start();
    await second!.monitor.stop();
    await first!.monitor.stop();
    await third!.host.reached(third!.monitor, 'ready');
    expect(gate.taken).toBe(0);
  });
});

describe('the end of a session', () => {
  it('is a loss without SHUTDOWN; the next session is another', async () => {
    const fake = await scene.fake();
    const { monitor, host } = await scene.ready(fake.endpoint);
    fake.connections[0]!.close();
    const { lastError } = await host.reached(monitor, 'waiting');
    expect(lastError.code).toBe('connection-lost');
    await host.reached(monitor, 'ready');
    const sessions = host.states.flatMap((state) => (state.name === 'ready' ? [state.session] : []));
    expect(sessions[0]).not.toBe(sessions[1]);
    expect(sessions[0]?.nonce).not.toBe(sessions[1]?.nonce);
  });

  it('is an end after SHUTDOWN, and stays so until the socket is back', async () => {
    const fake = await FakeMonitor.start();
    const { monitor, host } = await scene.ready(fake.endpoint, { random: () => 0.1 });
    fake.emit('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
    await host.until(() => host.events.length === 1);
    const { path: socketPath } = fake.endpoint as { path: string };
    await fake.stop();
    await host.reached(monitor, 'closed');
    mkdirSync(path.dirname(socketPath));
    scene.keep(path.dirname(socketPath), removeTempDir);
    await scene.fake({ path: socketPath });
    await host.until(() => host.stateNames.filter((name) => name === 'ready').length === 2);
    expect(host.stateNames).not.toContain('waiting');
  });

  it('is a loss when the VM was resumed after a SHUTDOWN it survived', async () => {
    const fake = await scene.fake();
    const { monitor, host } = await scene.ready(fake.endpoint);
    fake.emit('SHUTDOWN');
    fake.emit('RESUME');
    await host.until(() => host.events.length === 2);
    fake.connections[0]!.close();
    await host.reached(monitor, 'waiting');
    expect(host.stateNames).not.toContain('closed');
  });

  it.each(['reply', 'close', 'reset'])('is a success for quit when there is a %s', async (ending) => {
    const fake = await scene.fake({ listen: 'tcp' });
    fake.on('quit', ({ connection }) => {
      if (ending === 'close') connection.close();
      if (ending === 'reset') connection.reset();
      return ending === 'reply' ? { json: '{}' } : null;
    });
    fake.on('other', () => null);
    const { monitor, host } = await scene.ready(fake.endpoint);
    const other = ending === 'reply' ? null : probe(monitor, 'other');
    expect(await probe(monitor, 'quit').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
    expect(fake.commands.at(-1)?.raw.toString()).toMatch(/^\{"execute":"quit","id":[0-9]{3}\}$/);
    if (other === null) fake.connections[0]?.close();
    else expect((await other.outcome).kind).toBe('unknown');
    await host.reached(monitor, 'closed');
  });

  it('keeps growing its waits while sessions last no longer than a moment', async () => {
    const clock = new ManualClock();
    const fake = await scene.fake({ listen: 'tcp' });
    const { monitor, host } = scene.monitor(fake.endpoint, { clock, random: () => 1 });
    monitor.start();
    const waits: number[] = [];
    for (const lasts of [0, 0, 0, 2000, 0]) {
      await host.reached(monitor, 'ready');
      clock.advance(lasts);
      fake.connections.at(-1)!.close();
      const state = await host.reached(monitor, 'waiting');
      waits.push((state.retryAt ?? 0) - state.since);
      clock.advance(5000);
    }
    expect(waits).toEqual([100, 200, 400, 100, 200]);
  });
});
