import {
  ManualClock,
  probe,
  Scene,
  syncAnswer,
  type FakeCommand,
  type FakeConnection,
  type FakeMonitor,
} from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

const scene = new Scene();

afterEach(() => scene.end());

/** A guest agent: never greets, answers in order, and puts 0xFF before a delimited answer. */
async function agent(stale: (connection: FakeConnection) => void = () => undefined): Promise<FakeMonitor> {
  const fake = await scene.fake({ connected: () => undefined });
  return fake.on('guest-sync-delimited', (command) => {
    stale(command.connection);
    return syncAnswer(command);
  });
}

describe('the guest agent dialect', () => {
  it('synchronizes, and skips what the agent had still to say to others', async () => {
    const fake = await agent((connection) => {
      connection.write('left over"}\n{"return": {"for": "another"}}\n');
      connection.write(Buffer.concat([Buffer.of(0xff), Buffer.from('{"return": 12}\n')]));
    });
    fake.on('guest-ping', () => ({ raw: '{"return": {}}\n' })).on('guest-info', () => ({ json: '{"version": "7.2"}' }));
    const { monitor, host } = await scene.ready(fake.endpoint, { dialect: 'guest-agent' });
    expect(host.states.at(-1)).toMatchObject({ session: { dialect: 'guest-agent', greeting: null, oob: false } });
    expect(host.anomalies).toEqual([]);
    expect(monitor.places).toBe(1);
    expect(await probe(monitor, 'guest-ping').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
    expect(await probe(monitor, 'guest-info').outcome).toEqual({
      kind: 'return',
      value: Buffer.from('{"version": "7.2"}'),
    });
    expect(await probe(monitor, 'nope').outcome).toMatchObject({ kind: 'error', class: 'CommandNotFound' });
  });

  it('waits for an agent that is not there', async () => {
    const fake = await scene.fake({ connected: () => undefined });
    fake.on('guest-sync-delimited', () => null);
    const { monitor, host } = scene.monitor(fake.endpoint, { dialect: 'guest-agent', handshakeTimeoutMs: 30 });
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toBe('agent-silent');
    await host.until(() => fake.accepted > 1);
  });

  it('takes silence until the end for success where success is silent', async () => {
    const fake = await agent();
    fake.on('guest-shutdown', ({ connection }) => {
      connection.close();
      return null;
    });
    const { monitor } = await scene.ready(fake.endpoint, { dialect: 'guest-agent' });
    expect(await probe(monitor, 'guest-shutdown').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
  });
});

/** What an agent says of a 0xFF: nothing that belongs to a command. */
const strayError = '{"error": {"class": "GenericError", "desc": "JSON parse error, stray"}}\n';

function resynchronize(fake: FakeMonitor, monitor: { resynchronize(): void }): Promise<FakeCommand> {
  const asked = fake.next('guest-sync-delimited');
  monitor.resynchronize();
  return asked;
}

describe('a guest agent whose command was given up', () => {
  /** An agent that answers `guest-ping`, and leaves `guest-fstrim` and then every synchronization to the test. */
  async function busyAgent() {
    const fake = await agent();
    fake.on('guest-ping', () => ({ json: '{}' })).on('guest-fstrim', () => null);
    const clock = new ManualClock();
    const { monitor, host } = await scene.ready(fake.endpoint, { dialect: 'guest-agent', clock });
    const received = fake.next('guest-fstrim');
    const trim = probe(monitor, 'guest-fstrim');
    const command = await received;
    fake.on('guest-sync-delimited', () => null);
    return { fake, clock, monitor, host, trim, command };
  }

  it('gets no other before it is synchronized with; a late reply is still that of its command', async () => {
    const { fake, monitor, host, trim, command } = await busyAgent();
    const sync = await resynchronize(fake, monitor);
    expect(monitor.places).toBe(0);
    expect(await probe(monitor, 'guest-ping').outcome).toMatchObject({ kind: 'not-sent' });
    fake.answer(command, { json: '{"paths": []}' });
    expect(await trim.outcome).toEqual({ kind: 'return', value: Buffer.from('{"paths": []}') });
    expect(monitor.places).toBe(0);
    sync.connection.write(strayError);
    fake.answer(sync, syncAnswer(sync));
    await host.until(() => monitor.places === 1);
    expect(await probe(monitor, 'guest-ping').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
    expect(host.anomalies).toEqual([]);
  });

  it('is known never to answer it once it is synchronized with', async () => {
    const { fake, monitor, host, trim } = await busyAgent();
    const sync = await resynchronize(fake, monitor);
    sync.connection.write(strayError);
    fake.answer(sync, syncAnswer(sync));
    expect(await trim.outcome).toEqual({ kind: 'unknown', cause: 'the agent never answered it' });
    await host.until(() => monitor.places === 1);
    expect(await probe(monitor, 'guest-ping').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
  });

  it('is asked again under another id while it does not answer, and only the last answer counts', async () => {
    const { fake, clock, monitor, host } = await busyAgent();
    const first = await resynchronize(fake, monitor);
    const next = fake.next('guest-sync-delimited');
    expect(host.silences).toBe(0);
    clock.advance(5000);
    expect(host.silences).toBe(1);
    const second = await next;
    expect(second.arguments).not.toEqual(first.arguments);
    const places = host.places;
    first.connection.write(strayError);
    fake.answer(first, syncAnswer(first));
    first.connection.line('{"return": {}, "id": "someone-1"}');
    await host.until(() => host.anomalies.length > 0);
    expect([monitor.places, host.places]).toEqual([0, places]);
    second.connection.write(strayError);
    fake.answer(second, syncAnswer(second));
    await host.until(() => monitor.places === 1);
    clock.advance(60_000);
    expect(host.silences).toBe(1);
  });

  it('is not asked when nothing is unanswered', async () => {
    const fake = await agent();
    fake.on('guest-ping', () => ({ json: '{}' }));
    const { monitor } = await scene.ready(fake.endpoint, { dialect: 'guest-agent' });
    monitor.resynchronize();
    expect(monitor.places).toBe(1);
    expect(await probe(monitor, 'guest-ping').outcome).toMatchObject({ kind: 'return' });
    expect(fake.commands.filter(({ name }) => name === 'guest-sync-delimited')).toHaveLength(1);
  });
});

describe('a command that is silent on success', () => {
  it('was done when the agent takes up what came after it', async () => {
    const fake = await agent();
    fake.on('guest-suspend-ram', () => null);
    const clock = new ManualClock();
    const { monitor, host } = await scene.ready(fake.endpoint, { dialect: 'guest-agent', clock });
    expect(await probe(monitor, 'guest-suspend-ram').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
    expect(monitor.places).toBe(1);
    clock.advance(60_000);
    expect(host.silences).toBe(0);
  });

  it('failed when it says so, and what follows has its own reply', async () => {
    const fake = await agent();
    fake.on('guest-shutdown', () => ({ error: { class: 'GenericError', desc: 'no shutdown here' } }));
    fake.on('guest-ping', () => ({ json: '{"own": 1}' }));
    const { monitor } = await scene.ready(fake.endpoint, { dialect: 'guest-agent' });
    expect(await probe(monitor, 'guest-shutdown').outcome).toMatchObject({ kind: 'error', desc: 'no shutdown here' });
    expect(await probe(monitor, 'guest-ping').outcome).toEqual({ kind: 'return', value: Buffer.from('{"own": 1}') });
  });

  it('is told to be silent while the guest sleeps, and done when it wakes', async () => {
    const fake = await agent();
    fake.on('guest-suspend-ram', () => null);
    const clock = new ManualClock();
    const { monitor, host } = await scene.ready(fake.endpoint, { dialect: 'guest-agent', clock });
    fake.on('guest-sync-delimited', () => null);
    const asleep = fake.next('guest-sync-delimited');
    const suspend = probe(monitor, 'guest-suspend-ram');
    const fence = await asleep;
    clock.advance(5000);
    expect(host.silences).toBe(1);
    const sync = await resynchronize(fake, monitor);
    fake.answer(fence, syncAnswer(fence));
    expect(await suspend.outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
    expect(monitor.places).toBe(0);
    fake.answer(sync, syncAnswer(sync));
    await host.until(() => monitor.places === 1);
  });
});
