import { Scene, probe, type FakeConnection, type FakeMonitor } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

const scene = new Scene();

afterEach(() => scene.end());

/** A guest agent: never greets, answers in order, and puts 0xFF before a delimited answer. */
async function agent(stale: (connection: FakeConnection) => void = () => undefined): Promise<FakeMonitor> {
  const fake = await scene.fake({ connected: () => undefined });
  return fake.on('guest-sync-delimited', ({ connection, arguments: args }) => {
    stale(connection);
    connection.write(Buffer.concat([Buffer.of(0xff), Buffer.from(`{"return": ${(args as { id: number }).id}}\n`)]));
    return null;
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
    expect((await host.reached(monitor, 'waiting')).fault.code).toBe('agent-silent');
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
