import { Scene, StratovirtFake, probe, type StratovirtOptions } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Monitor, Outcome } from '@qmp-gateway/qmp';

const scene = new Scene();

afterEach(() => scene.end());

async function stratovirt(options?: StratovirtOptions): Promise<StratovirtFake> {
  return scene.keep(await StratovirtFake.start(options), (fake) => fake.stop());
}

/** Runs commands as an owner does: the next one when a place is free. */
function queue(monitor: Monitor, commands: readonly string[], freed: (pump: () => void) => void): Promise<Outcome[]> {
  const waiting = [...commands];
  const outcomes: Promise<Outcome>[] = [];
  return new Promise((resolve) => {
    const pump = (): void => {
      while (monitor.places > 0 && waiting.length > 0) outcomes.push(probe(monitor, waiting.shift() as string).outcome);
      if (waiting.length === 0) resolve(Promise.all(outcomes));
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
    const outcomes = await queue(monitor, names, (pump) => (host.place = pump));
    expect(outcomes.every(({ kind }) => kind === 'return')).toBe(true);
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
