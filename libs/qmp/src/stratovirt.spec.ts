import { once } from 'node:events';
import {
  ManualClock,
  Scene,
  StratovirtFake,
  probe,
  type FakeConnection,
  type StratovirtOptions,
} from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Monitor, Settlement } from '@qmp-gateway/qmp';

const scene = new Scene();

afterEach(() => scene.end());

async function stratovirt(options?: StratovirtOptions): Promise<StratovirtFake> {
  return scene.keep(await StratovirtFake.start(options), (fake) => fake.stop());
}

/** Runs commands as an owner does: the next one when a place is free. */
function queue(
  monitor: Monitor,
  commands: readonly string[],
  freed: (pump: () => void) => void,
): Promise<Settlement[]> {
  const waiting = [...commands];
  const settlements: Promise<Settlement>[] = [];
  return new Promise((resolve) => {
    const pump = (): void => {
      while (monitor.places > 0 && waiting.length > 0)
        settlements.push(probe(monitor, waiting.shift() as string).outcome);
      if (waiting.length === 0) resolve(Promise.all(settlements));
    };
    freed(pump);
    pump();
  });
}

describe('the StratoVirt dialect', () => {
  it('is known by its greeting, and gives one place', async () => {
    const fake = await stratovirt();
    const { monitor, host } = await scene.ready(fake.endpoint);
    expect(host.states.at(-1)).toMatchObject({ session: { dialect: 'stratovirt', oob: false } });
    expect(monitor.places).toBe(1);
    const first = probe(monitor, 'query-status');
    expect((await probe(monitor, 'query-status').outcome).kind).toBe('not-sent');
    expect((await first.outcome).kind).toBe('return');
    expect(fake.offences).toEqual([]);
  });

  it('runs 150 commands in lock step without being throttled', async () => {
    const fake = await stratovirt();
    const { monitor, host } = await scene.ready(fake.endpoint);
    const names = Array.from({ length: 150 }, (_, index) => (index % 3 === 0 ? 'query-status' : 'block-commit'));
    const began = performance.now();
    const settlements = await queue(monitor, names, (pump) => (host.place = pump));
    expect(settlements.every(({ kind }) => kind === 'return')).toBe(true);
    expect(fake.executed.filter((name) => name !== 'qmp_capabilities')).toEqual(names);
    expect(fake.offences).toEqual([]);
    // 51 of them beyond the burst of 100, at 90 a second.
    expect(performance.now() - began).toBeGreaterThan(500);
  });

  it('sends a throttled command again, and runs it once', async () => {
    const fake = await stratovirt();
    let refusals = 3;
    fake.handlers.set('balloon', () =>
      refusals-- > 0 ? { error: { class: 'OperationThrottled', desc: 'More than 100' } } : { json: '"done"' },
    );
    const { monitor } = await scene.ready(fake.endpoint);
    expect(await probe(monitor, 'balloon').outcome).toEqual({ kind: 'return', value: Buffer.from('"done"') });
    expect(fake.offences).toEqual([]);
  });

  it('tells a message over 8,192 bytes without sending it', async () => {
    const fake = await stratovirt();
    const { monitor } = await scene.ready(fake.endpoint);
    const frame = '{"execute":"query-status","arguments":{"a":""},"id":"0123456789abcdef-2"}'.length;
    const fits = probe(monitor, 'query-status', { argumentsJson: `{"a":"${'ü'.repeat((8192 - frame) >> 1)}"}` });
    expect((await fits.outcome).kind).toBe('return');
    const tooLarge = probe(monitor, 'query-status', { argumentsJson: `{"a":"${'ü'.repeat((8194 - frame) >> 1)}x"}` });
    expect(await tooLarge.outcome).toEqual({ kind: 'too-large', limit: 8192 });
    expect(tooLarge.written()).toBe(false);
    expect(monitor.places).toBe(1);
    expect(fake.offences).toEqual([]);
  });

  it('puts its errors into QMP terms', async () => {
    const fake = await stratovirt();
    fake.handlers.set('input_event', () => ({ json: '"x not supported for VM"' }));
    const { monitor } = await scene.ready(fake.endpoint);
    expect(await probe(monitor, 'nope').outcome).toMatchObject({ kind: 'error', class: 'CommandNotFound' });
    expect(await probe(monitor, 'netdev_replace', { argumentsJson: '{}' }).outcome).toEqual({
      ...{ kind: 'error', class: 'GenericError', desc: 'netdev_replace not supported for VM' },
    });
    expect(await probe(monitor, 'input_event').outcome).toMatchObject({ kind: 'return' });
  });

  it.each(['after', 'before', 'inside'] as const)('takes events %s the reply', async (events) => {
    const fake = await stratovirt({ events });
    const { monitor, host } = await scene.ready(fake.endpoint);
    expect((await probe(monitor, 'stop').outcome).kind).toBe('return');
    await host.until(() => host.events.length === 1);
    expect((await probe(monitor, 'cont').outcome).kind).toBe('return');
    await host.until(() => host.events.length === 2);
    expect(host.eventNames).toEqual(['STOP', 'RESUME']);
    expect(host.anomalies).toEqual([]);
  });

  it('takes the end of the connection for the end of the VM', async () => {
    const fake = await stratovirt();
    fake.handlers.set('system_powerdown', () => ({ exit: true }));
    const { monitor, host } = await scene.ready(fake.endpoint);
    expect((await probe(monitor, 'system_powerdown').outcome).kind).toBe('return');
    await host.reached(monitor, 'closed');
    expect(host.events).toEqual([]);
  });

  it('never half-closes, and lets the next client in', async () => {
    const fake = await stratovirt();
    const first = await scene.ready(fake.endpoint);
    const second = scene.monitor(fake.endpoint);
    second.monitor.start();
    await probe(first.monitor, 'query-status').outcome;
    await first.monitor.stop();
    await second.host.reached(second.monitor, 'ready');
    expect(fake.offences).toEqual([]);
  });
});

describe('the StratoVirt dialect over tcp', () => {
  const failing = { error: { class: 'GenericError', desc: 'no' } };

  /** It survives, and takes the next client. */
  async function survives(fake: StratovirtFake): Promise<void> {
    const next = await scene.ready(fake.tcpEndpoint);
    expect(fake.offences).toEqual([]);
    await next.monitor.stop();
  }

  it('leaves by reset after a failed command', async () => {
    const fake = await stratovirt({ tcp: true });
    fake.handlers.set('balloon', () => failing);
    const { monitor } = await scene.ready(fake.tcpEndpoint);
    expect((await probe(monitor, 'balloon', { argumentsJson: '{"value":1}' }).outcome).kind).toBe('error');
    await monitor.stop();
    await survives(fake);
  });

  it('sends a query behind each failed command, which leaves it able to bear that we are killed', async () => {
    const fake = await stratovirt({ tcp: true });
    fake.handlers.set('balloon', () => failing);
    const { monitor } = await scene.ready(fake.tcpEndpoint);
    fake.executed.length = 0;
    for (let count = 0; count < 2; count++) {
      const failed = probe(monitor, 'balloon', { argumentsJson: '{"value":1}' });
      expect(await failed.outcome).toEqual({ kind: 'error', class: 'GenericError', desc: 'no' });
    }
    expect(fake.executed).toEqual(['balloon', 'query-status', 'balloon', 'query-status']);
    expect(monitor.places).toBe(1);
  });

  it('tells the error also when the query behind it is not answered, or fails', async () => {
    const fake = await stratovirt({ tcp: true });
    fake.handlers.set('balloon', () => failing).set('query-status', () => failing);
    const { monitor, host } = await scene.ready(fake.tcpEndpoint);
    expect((await probe(monitor, 'balloon', { argumentsJson: '{"value":1}' }).outcome).kind).toBe('error');
    expect(fake.executed.slice(-2)).toEqual(['balloon', 'query-status']);
    fake.handlers.set('query-status', () => ({ exit: true }));
    expect((await probe(monitor, 'balloon', { argumentsJson: '{"value":1}' }).outcome).kind).toBe('error');
    await host.reached(monitor, 'closed');
  });

  it('leaves by reset when it has not been greeted, not knowing who is there', async () => {
    const fake = await stratovirt({ tcp: true });
    const first = await scene.ready(fake.tcpEndpoint);
    const clock = new ManualClock();
    const waiting = scene.monitor(fake.tcpEndpoint, { clock });
    waiting.monitor.start();
    await waiting.host.reached(waiting.monitor, 'negotiating');
    clock.advance(5000);
    await waiting.host.reached(waiting.monitor, 'busy');
    const given = scene.monitor(fake.tcpEndpoint);
    given.monitor.start();
    await given.monitor.stop();
    await first.monitor.stop();
    await survives(fake);
  });

  it('leaves by reset when the preparation fails', async () => {
    const fake = await stratovirt({ tcp: true });
    fake.handlers.set('balloon', () => failing);
    const { monitor, host } = scene.monitor(fake.tcpEndpoint);
    host.prepare = async () => {
      await monitor.run('balloon', '{"value":1}', { deadlineMs: 5000 });
      throw new Error('not prepared');
    };
    monitor.start();
    await host.reached(monitor, 'waiting');
    await monitor.stop();
    await survives(fake);
  });

  it('asks nothing behind a failed command on a unix socket, which bears any end', async () => {
    const fake = await stratovirt();
    fake.handlers.set('balloon', () => failing);
    const { monitor } = await scene.ready(fake.endpoint);
    await probe(monitor, 'balloon', { argumentsJson: '{"value":1}' }).outcome;
    await probe(monitor, 'block-commit').outcome;
    expect(fake.executed.slice(-2)).toEqual(['balloon', 'block-commit']);
  });

  it('leaves a QEMU as before: it reads what came before the end', async () => {
    const fake = await scene.fake({ listen: 'tcp' });
    const { monitor } = await scene.ready(fake.endpoint);
    const ended = once((fake.connections[0] as FakeConnection).socket, 'end');
    await monitor.stop();
    await ended;
  });
});
