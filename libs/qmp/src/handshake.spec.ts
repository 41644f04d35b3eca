import { ManualClock, Scene, probe, type FakeConnection, type FakeMonitor } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

const scene = new Scene();

afterEach(() => scene.end());

const staleReply = '{"return": {"big": true}, "id": "other-1"}';
const staleError = '{"id": "other-2", "error": {"class": "GenericError", "desc": "stale"}}';

/** Everything QEMU may write before the greeting and before the answer to qmp_capabilities. */
function noise(connection: FakeConnection, count: number): void {
  for (let index = 0; index < count; index++) connection.event('NOISE', { index });
  connection.line(staleReply);
  connection.line(staleError);
  connection.line('{"return": {}}');
}

describe('the handshake', () => {
  it.each([0, 1, 3, 4096])(
    'finds greeting and answer among events and foreign replies, cut in pieces of %d',
    async (chunk) => {
      const fake: FakeMonitor = await scene.fake({
        chunk,
        connected: (connection) => {
          connection.line('tail of a reply to another client"}, "id": "x"}');
          noise(connection, 200);
          connection.line(fake.greeting);
        },
      });
      fake.on('qmp_capabilities', ({ connection }) => {
        noise(connection, 100);
        return { json: '{}' };
      });
      fake.on('ok', () => ({ json: '1' }));
      const { monitor, host } = await scene.ready(fake.endpoint);
      expect(host.events).toHaveLength(300);
      expect(host.events.map(({ event }) => event.data).slice(-100)).toEqual(
        Array.from({ length: 100 }, (_, index) => `{"index":${index}}`),
      );
      expect(host.events.every(({ session }) => session === host.events[0]?.session)).toBe(true);
      const kinds = host.anomalies.map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'foreign-reply')).toHaveLength(4);
      expect(kinds.filter((kind) => kind === 'reply-without-id')).toHaveLength(2);
      expect(kinds.filter((kind) => kind === 'unintelligible-line')).toHaveLength(1);
      expect(await probe(monitor, 'ok').outcome).toMatchObject({ kind: 'return' });
    },
  );

  it('loses nothing between the handshake and the session', async () => {
    const fake = await scene.fake();
    fake.on('qmp_capabilities', ({ connection, id }) => {
      const events = Array.from({ length: 50 }, (_, index) => `{"event": "E", "data": ${index}}\r\n`).join('');
      connection.write(`{"return": {}, "id": ${id}}\r\n${events}`);
      return null;
    });
    const { host } = await scene.ready(fake.endpoint);
    await host.until(() => host.events.length === 50);
    expect(host.events.map(({ event }) => event.data)).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
  });

  it('bounds the events it holds before negotiation, and tells', async () => {
    const fake: FakeMonitor = await scene.fake({
      connected: (connection) => {
        connection.write('{"event": "E"}\r\n'.repeat(10_005));
        connection.line(fake.greeting);
      },
    });
    const { host } = await scene.ready(fake.endpoint);
    expect(host.events).toHaveLength(10_000);
    expect(host.anomalies).toEqual([{ kind: 'early-events-dropped', detail: '5 events before negotiation' }]);
  });

  it('is busy when connected but never greeted, closes, and dials again', async () => {
    const fake = await scene.fake({ connected: () => undefined });
    const { monitor, host } = scene.monitor(fake.endpoint, { handshakeTimeoutMs: 30 });
    monitor.start();
    const state = await host.reached(monitor, 'busy');
    expect(state.lastError).toMatchObject({
      code: 'no-greeting',
      detail: expect.stringMatching(/another client.*TLS/),
    });
    expect(state.retryAt).toBeGreaterThanOrEqual(state.since);
    await host.until(() => fake.accepted > 1);
    expect(host.stateNames.slice(0, 4)).toEqual(['connecting', 'negotiating', 'busy', 'connecting']);
  });

  it('has one deadline over greeting and answer', async () => {
    const clock = new ManualClock();
    let greet: (() => void) | undefined;
    const fake = await scene.fake({ connected: (connection) => (greet = () => connection.line(fake.greeting)) });
    const asked = fake.next('qmp_capabilities');
    fake.on('qmp_capabilities', () => null);
    const { monitor, host } = scene.monitor(fake.endpoint, { clock });
    monitor.start();
    await host.reached(monitor, 'negotiating');
    await host.until(() => greet !== undefined);
    clock.advance(4000);
    greet?.();
    await asked;
    clock.advance(999);
    expect(monitor.state.name).toBe('negotiating');
    clock.advance(1);
    expect(monitor.state).toMatchObject({ name: 'waiting', lastError: { code: 'no-capabilities-reply' } });
  });

  it.each([
    ["QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) ", /human monitor/],
    ['\xff\xfb\x01\xff\xfb\x03{"QMP": {}}\r\n', /telnet/],
    ['{\r\n    "QMP": {\r\n', /pretty/],
    ['\xff{"return": 1}\n', /guest agent/],
    ['RFB 003.008\n', /VNC/],
    ['SSH-2.0-OpenSSH_9\r\n', /SSH/],
    ['HTTP/1.1 400 Bad Request\r\n', /HTTP/],
    ['hello\n'.repeat(101), /hello/],
  ])('names the wrong protocol that begins with %j', async (bytes, name) => {
    const fake = await scene.fake({ connected: (connection) => connection.write(Buffer.from(bytes, 'latin1')) });
    const { monitor, host } = scene.monitor(fake.endpoint);
    monitor.start();
    const { lastError } = await host.reached(monitor, 'waiting');
    expect(lastError).toMatchObject({ code: 'wrong-protocol', detail: expect.stringMatching(name) });
  });

  it('names text that is no QMP at the deadline', async () => {
    const fake = await scene.fake({ connected: (connection) => connection.line('login: ') });
    const { monitor, host } = scene.monitor(fake.endpoint, { handshakeTimeoutMs: 30 });
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError).toMatchObject({
      code: 'wrong-protocol',
      detail: expect.stringMatching(/login/),
    });
  });

  it('tells a refused negotiation', async () => {
    const fake = await scene.fake();
    fake.on('qmp_capabilities', () => ({ error: { class: 'GenericError', desc: 'no' } }));
    const { monitor, host } = scene.monitor(fake.endpoint);
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError).toMatchObject({
      code: 'negotiation-refused',
      detail: 'GenericError: no',
    });
  });

  it.each(['connect', 'greeting', 'negotiation'])('survives a close after %s', async (when) => {
    const fake: FakeMonitor = await scene.fake({
      connected: (connection) => {
        if (when === 'greeting') connection.line(fake.greeting);
        if (when === 'negotiation') connection.line(fake.greeting);
        else connection.close();
      },
    });
    fake.on('qmp_capabilities', ({ connection }) => {
      connection.close();
      return null;
    });
    const { monitor, host } = scene.monitor(fake.endpoint);
    monitor.start();
    const { lastError } = await host.reached(monitor, 'waiting');
    expect(lastError.code).toBe(when === 'connect' ? 'closed-before-greeting' : 'connection-lost');
    await host.until(() => fake.accepted > 1);
  });
});

describe('prepare', () => {
  it('runs its commands before the monitor is ready for others', async () => {
    const fake = await scene.fake();
    fake.on('query-version', () => ({ json: '"v"' }));
    const { monitor, host } = scene.monitor(fake.endpoint);
    const steps: string[] = [];
    host.prepare = async (session) => {
      steps.push(`${monitor.state.name} ${session.dialect} ${monitor.places}`);
      steps.push((await probe(monitor, 'query-version').outcome).kind);
      steps.push((await monitor.run('query-version', undefined, { deadlineMs: 1000 })).kind);
    };
    monitor.start();
    await host.reached(monitor, 'ready');
    expect(steps).toEqual(['negotiating qemu 0', 'not-sent', 'return']);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no schema')), 'no schema'],
    [
      'throws',
      () => {
        throw new Error('no luck');
      },
      'no luck',
    ],
    ['hangs', () => new Promise<void>(() => undefined), 'not prepared within 40 ms'],
  ])('ends the session when it %s', async (_, prepare, detail) => {
    const fake = await scene.fake();
    const { monitor, host } = scene.monitor(fake.endpoint, { prepareTimeoutMs: 40 });
    host.prepare = prepare;
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError).toMatchObject({ code: 'prepare-failed', detail });
    expect(host.stateNames).not.toContain('ready');
  });
});
