import { FaultProxy, InstantMonitor, Scene, probe } from '@qmp-gateway/test-kit';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EndpointError } from './endpoint.js';
import type { Settlement } from './execution.js';
import { Monitor } from './monitor.js';

const scene = new Scene();

afterEach(() => scene.end());

const nothing = { stateChanged: () => undefined, event: () => undefined };
const text = (settlement: Settlement): string =>
  settlement.kind === 'return' ? settlement.value.toString() : settlement.kind;

describe('Monitor', () => {
  it.each(['unix', 'tcp'] as const)('negotiates over %s and answers with the exact bytes', async (listen) => {
    const fake = await scene.fake({ listen });
    fake.on('query-status', () => ({ json: '{"n": 9223372036854775807,   "x":1.0e+3}' }));
    const { monitor, host } = await scene.ready(fake.endpoint);
    expect(host.stateNames).toEqual(['connecting', 'negotiating', 'ready']);
    expect(host.places).toBe(1);
    expect(text(await probe(monitor, 'query-status').outcome)).toBe('{"n": 9223372036854775807,   "x":1.0e+3}');
    const refused = await probe(monitor, 'nope', { argumentsJson: '{"a":1.50}' }).outcome;
    expect(refused).toMatchObject({ kind: 'error', class: 'CommandNotFound' });
    expect(fake.commands.at(-1)?.raw.toString()).toMatch(
      /^\{"execute":"nope","arguments":\{"a":1\.50\},"id":[0-9]{3}\}$/,
    );
    expect([monitor.inFlight, monitor.places]).toEqual([0, 8]);
  });

  it.each(['event', 'settle'] as const)('ends the session, and no more, when its owner throws at an %s', async (at) => {
    const fake = await scene.fake();
    const { monitor, host } = await scene.ready(fake.endpoint);
    const failures: unknown[] = [];
    const fault = new Error('a fault of the owner');
    const fail = () => {
      throw fault;
    };
    Object.assign(host, {
      failed: (error: unknown) => failures.push(error),
      ...(at === 'event' ? { event: fail } : {}),
    });
    const handed = fake.next('slow');
    fake.on('slow', () => null);
    const slow = probe(monitor, 'slow');
    await handed;
    if (at === 'event') fake.connections.at(-1)?.event('STOP');
    else monitor.execute({ command: 'nope', settle: fail });
    expect(await slow.outcome).toMatchObject({ kind: 'unknown' });
    expect(slow.settled()).toBe(1);
    expect(failures).toEqual([fault]);
    expect(monitor.lastError).toMatchObject({ code: 'protocol-error' });
    await host.reached(monitor, 'ready');
    expect(host.stateNames.slice(3)).toEqual(['waiting', 'connecting', 'negotiating', 'ready']);
  });

  it('refuses plain tcp to other hosts and listen:tls without certificates', () => {
    expect(() => new Monitor({ kind: 'tcp', host: '192.0.2.1', port: 1 }, nothing)).toThrow(EndpointError);
    expect(() => new Monitor({ kind: 'listen-tls', host: '127.0.0.1', port: 1 }, nothing)).toThrow(EndpointError);
    expect(new Monitor({ kind: 'tcp', host: '192.0.2.1', port: 1 }, nothing, { insecure: true }).state.name).toBe(
      'idle',
    );
  });

  it('negotiates with an id that no other connection has made', async () => {
    const fake = await scene.fake();
    await scene.ready(fake.endpoint);
    await scene.ready(fake.endpoint);
    const [first, second] = fake.commands.map(({ id }) => id?.split('-')[0]);
    expect(first).not.toBe(second);
  });

  it('takes eight in-band commands and settles the ninth as not sent; out-of-band passes', async () => {
    const fake = await scene.fake();
    const held = Array.from({ length: 8 }, () => fake.next('slow'));
    fake.on('slow', () => null).on('query-yank', () => ({ return: [] }));
    const { monitor, host } = await scene.ready(fake.endpoint);
    const slow = Array.from({ length: 8 }, () => probe(monitor, 'slow'));
    expect([monitor.places, monitor.inFlight]).toEqual([0, 8]);
    expect(await probe(monitor, 'slow').outcome).toEqual({ kind: 'not-sent', cause: 'no place is free' });
    expect(text(await probe(monitor, 'query-yank', { outOfBand: true }).outcome)).toBe('[]');
    await held[0];
    const told = host.places;
    for (const command of fake.commands.filter(({ name }) => name === 'slow')) fake.answer(command, { json: '1' });
    expect((await Promise.all(slow.map(({ outcome }) => outcome))).map(text)).toEqual(
      Array.from({ length: 8 }, () => '1'),
    );
    expect(host.places - told).toBe(8);
    expect(fake.commands.filter(({ name }) => name === 'slow')).toHaveLength(8);
  });

  it('refuses out-of-band commands where oob is not offered', async () => {
    const fake = await scene.fake({ capabilities: [] });
    const { monitor, host } = await scene.ready(fake.endpoint);
    expect(fake.commands[0]?.arguments).toBeUndefined();
    expect(host.states.at(-1)).toMatchObject({ session: { oob: false, greeting: { capabilities: [] } } });
    expect(await probe(monitor, 'query-yank', { outOfBand: true }).outcome).toMatchObject({ kind: 'not-sent' });
  });

  it('matches replies by id, whatever their order, and drops foreign ones', async () => {
    const fake = await scene.fake();
    const second = fake.next('second');
    fake.on('first', () => null).on('second', () => null);
    const { monitor, host } = await scene.ready(fake.endpoint);
    const commands = [probe(monitor, 'first'), probe(monitor, 'second')];
    await second;
    const { connection } = fake.commands.at(-1)!;
    connection.line('{"return": "foreign", "id": "other-3"}');
    connection.line('{"error": {"class": "GenericError", "desc": "foreign"}, "id": 3}');
    connection.line('{"return": "no id"}');
    for (const command of fake.commands.slice(-2).reverse()) fake.answer(command, { return: command.name });
    expect((await Promise.all(commands.map(({ outcome }) => outcome))).map(text)).toEqual(['"first"', '"second"']);
    expect(host.anomalies.map(({ kind }) => kind)).toEqual(['foreign-reply', 'foreign-reply', 'reply-without-id']);
  });

  it('ends the session at an error without id; the oldest command is unknown, and so are the others', async () => {
    const fake = await scene.fake();
    fake.on('bad', ({ connection }) => {
      connection.line('{"error": {"class": "GenericError", "desc": "JSON parse error"}}');
      return null;
    });
    const { monitor, host } = await scene.ready(fake.endpoint);
    const commands = [probe(monitor, 'bad'), probe(monitor, 'after')];
    expect(await Promise.all(commands.map(({ outcome }) => outcome))).toMatchObject([
      { kind: 'unknown' },
      { kind: 'unknown' },
    ]);
    expect(host.states.at(3)).toMatchObject({ name: 'waiting', lastError: { code: 'protocol-error' } });
    expect(commands.map(({ settled }) => settled())).toEqual([1, 1]);
  });

  it('calls a reply that is not JSON unknown, and keeps the session', async () => {
    const fake = await scene.fake();
    fake.on('qom-get', ({ id }) => ({ raw: `{"return": inf, "id": ${id}}\r\n` })).on('ok', () => ({ json: '1' }));
    const { monitor, host } = await scene.ready(fake.endpoint);
    expect(await probe(monitor, 'qom-get').outcome).toEqual({ kind: 'unknown', cause: 'the reply is not JSON' });
    expect(text(await probe(monitor, 'ok').outcome)).toBe('1');
    expect(host.anomalies).toHaveLength(1);
  });

  it.each(['garbage', '"x"', '[]', '{"return": 1', '\ufeff{"return": 1}', '{"event": 5}'])(
    'drops the line %j when nothing is in flight, and gives up the session when a command may be waiting for it',
    async (line) => {
      const fake = await scene.fake();
      fake.on('ok', () => ({ json: '1' })).on('broken', () => ({ raw: `${line}\r\n` }));
      const { monitor, host } = await scene.ready(fake.endpoint);
      fake.connections[0]!.line(line);
      await host.until(() => host.anomalies.length === 1);
      expect(text(await probe(monitor, 'ok').outcome)).toBe('1');
      expect(await probe(monitor, 'broken').outcome).toMatchObject({ kind: 'unknown' });
      expect(monitor.lastError?.code).toBe('protocol-error');
    },
  );

  it('settles the oldest command of a line over the limit as unknown and lives on', async () => {
    const fake = await scene.fake();
    fake.on('big', () => ({ return: 'x'.repeat(5000) })).on('ok', () => ({ json: '1' }));
    const { monitor, host } = await scene.ready(fake.endpoint, { lineBytes: 4096 });
    const commands = [probe(monitor, 'big'), probe(monitor, 'ok')];
    expect(await commands[0]!.outcome).toEqual({
      kind: 'unknown',
      cause: 'the reply is over 4096 bytes',
      tooLong: true,
    });
    expect(text(await commands[1]!.outcome)).toBe('1');
    expect(host.anomalies).toEqual([
      { kind: 'overlong-line', detail: expect.stringMatching(/^50[0-9]{2} bytes in answer to big$/) },
    ]);
    expect(monitor.state.name).toBe('ready');
  });

  it('delivers events in order with what the server wrote, and keeps reading while the owner runs commands', async () => {
    const fake = await scene.fake({ chunk: 7 });
    fake.on('go', ({ connection }) => {
      for (let index = 0; index < 50; index++) connection.event('E', { index });
      connection.line('{"event": "BARE", "timestamp": {"seconds": -1, "microseconds": -1}}');
      return { json: '1' };
    });
    const { monitor, host } = await scene.ready(fake.endpoint);
    await probe(monitor, 'go').outcome;
    expect(host.events.slice(0, 50).map(({ event }) => event.data)).toEqual(
      Array.from({ length: 50 }, (_, index) => `{"index":${index}}`),
    );
    expect(host.events[50]?.event).toMatchObject({
      name: 'BARE',
      data: undefined,
      timestamp: '{"seconds": -1, "microseconds": -1}',
    });
    expect(host.events[50]?.session).toBe(
      host.states.at(-1)?.name === 'ready' ? (host.states.at(-1) as { session: unknown }).session : null,
    );
  });

  it('hands several commands of one turn to the kernel in one write, in order', async () => {
    const fake = await scene.fake();
    fake.on('a', () => ({ json: '1' }));
    const { monitor } = await scene.ready(fake.endpoint);
    let reads = 0;
    fake.connections[0]!.socket.on('data', () => reads++);
    await Promise.all(Array.from({ length: 8 }, () => probe(monitor, 'a').outcome));
    expect(reads).toBe(1);
  });

  it('sends nothing that the server could not read, whoever made it', async () => {
    const fake = await scene.fake();
    const { monitor } = await scene.ready(fake.endpoint);
    for (const [command, argumentsJson] of [
      ['query-status', '{"a":"\ufffe"}'],
      ['query-status', '{"\\uDBFF\\uDFFF":1}'],
      ['query-status', '{"a":"\\ud800"}'],
      ['query-\ufdd0', '{}'],
    ] as const) {
      const refused = probe(monitor, command, { argumentsJson });
      expect(await refused.outcome).toEqual({ kind: 'unreadable' });
      expect(refused.written()).toBe(false);
    }
    expect(monitor.places).toBe(8);
    expect(fake.commands.map(({ name }) => name)).toEqual(['qmp_capabilities']);
  });

  it('says not-sent exactly while nothing was handed over', async () => {
    const fake = await scene.fake({ deaf: true, connected: () => undefined });
    const { monitor, host } = scene.monitor(fake.endpoint);
    monitor.start();
    await host.until(() => fake.connections.length === 1);
    const connection = fake.connections[0]!;
    connection.line(fake.greeting);
    // The id of qmp_capabilities is read by hand: the fake itself is deaf.
    connection.socket.once('data', (chunk: Buffer) => {
      connection.socket.pause();
      connection.line(`{"return": {}, "id": ${/"id":("[^"]+")/.exec(chunk.toString())?.[1] ?? ''}}`);
    });
    connection.socket.resume();
    await host.reached(monitor, 'ready');
    const large = JSON.stringify({ a: 'x'.repeat(300_000) });
    const commands = Array.from({ length: 4 }, () => probe(monitor, 'big', { argumentsJson: large }));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(commands.map(({ written }) => written())).toEqual([true, false, false, false]);
    connection.socket.destroy();
    const settlements = await Promise.all(commands.map(({ outcome }) => outcome));
    expect(settlements.map(({ kind }) => kind)).toEqual(['unknown', 'not-sent', 'not-sent', 'not-sent']);
  });

  it('keeps a place for a command whose deadline has passed, and drops nothing into the next', async () => {
    const fake = await scene.fake();
    fake.on('slow', () => null).on('next', () => ({ json: '"next"' }));
    const { monitor } = await scene.ready(fake.endpoint);
    expect(await monitor.run('slow', undefined, { deadlineMs: 20 })).toEqual({
      kind: 'unknown',
      cause: 'no reply within 20 ms',
    });
    expect(monitor.inFlight).toBe(1);
    fake.answer(fake.commands.at(-1)!, { json: '"late"' });
    expect(text(await monitor.run('next', '{}', { deadlineMs: 5000 }))).toBe('"next"');
    expect(monitor.inFlight).toBe(0);
  });

  it('sends nothing and settles at once when not ready', async () => {
    const { monitor } = scene.monitor('/nonexistent/socket');
    for (const step of ['none', 'start', 'stop'] as const) {
      if (step !== 'none') await monitor[step]();
      const { outcome, written, settled } = probe(monitor, 'x');
      expect(settled()).toBe(1);
      expect(written()).toBe(false);
      expect(await outcome).toMatchObject({ kind: 'not-sent' });
      expect(await monitor.run('x', undefined, { deadlineMs: 1 })).toMatchObject({ kind: 'not-sent' });
    }
  });

  it('settles what is in flight when stopped', async () => {
    const fake = await scene.fake();
    const arrived = fake.next('slow');
    fake.on('slow', () => null);
    const { monitor, host } = await scene.ready(fake.endpoint);
    const sent = probe(monitor, 'slow');
    await arrived;
    const queued = probe(monitor, 'slow');
    await monitor.stop();
    await monitor.stop();
    expect([(await sent.outcome).kind, (await queued.outcome).kind]).toEqual(['unknown', 'not-sent']);
    expect(host.stateNames.at(-1)).toBe('stopped');
    expect(host.healths).toEqual(['ok', null]);
  });

  it('can be stopped by its owner from any call', async () => {
    const fake = await scene.fake();
    fake.on('go', ({ connection }) => {
      connection.event('ONE');
      connection.event('TWO');
      return { json: '1' };
    });
    for (const name of ['connecting', 'negotiating', 'ready', 'event'] as const) {
      const { monitor, host } = scene.monitor(fake.endpoint);
      const seen: string[] = [];
      host.stateChanged = (state) => {
        seen.push(state.name);
        if (state.name === name) void monitor.stop();
        if (state.name === 'ready') monitor.execute({ command: 'go', settle: ({ kind }) => seen.push(kind) });
      };
      const stopped = new Promise<void>((resolve) => {
        host.event = ({ name: event }) => {
          seen.push(event);
          void monitor.stop().then(resolve);
        };
        if (name !== 'event') void Promise.resolve().then(() => resolve());
      });
      monitor.start();
      await stopped;
      if (name === 'event') expect(seen).toEqual(['connecting', 'negotiating', 'ready', 'ONE', 'stopped', 'unknown']);
    }
  });

  it('settles every command exactly once through any fault of the connection', async () => {
    const instant = scene.keep(await InstantMonitor.start(), (made) => made.stop());
    const toClient = fc.record({
      chunk: fc.nat(5),
      cutAfter: fc.option(fc.integer({ min: 0, max: 900 })),
      corruptAt: fc.option(fc.nat(900)),
    });
    const toServer = fc.record({ chunk: fc.nat(5), cutAfter: fc.option(fc.integer({ min: 0, max: 900 })) });
    await fc.assert(
      fc.asyncProperty(toClient, toServer, async (client, server) => {
        const proxy = await FaultProxy.start(instant.endpoint.path, { toClient: client, toServer: server });
        const { monitor, host } = scene.monitor(proxy.endpoint, { handshakeTimeoutMs: 200 });
        monitor.start();
        await host.until(() => host.states.length > 2);
        const commands = Array.from({ length: 10 }, () => probe(monitor, 'x'));
        const answered = Promise.all(commands.map(({ outcome }) => outcome));
        // A reply whose id was corrupted is never matched: what has not ended by then, stopping ends.
        const deadline = new Promise((resolve) => setTimeout(resolve, 200));
        await Promise.race([answered, deadline]);
        await monitor.stop();
        for (const settlement of await answered) {
          if (settlement.kind === 'return') expect(client.corruptAt === null ? text(settlement) : '{}').toBe('{}');
        }
        expect(commands.map(({ settled }) => settled())).toEqual(commands.map(() => 1));
        expect(monitor.inFlight).toBe(0);
        await proxy.stop();
      }),
      { numRuns: 40 },
    );
  });
});
