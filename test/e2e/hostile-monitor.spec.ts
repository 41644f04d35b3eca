import { HostileMonitor, nasty, ownEventNames, RawQmpClient, type HostileOptions } from '@qmp-gateway/test-kit';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, nextSseEvents, openLines, type StreamedEvent } from './event-readers.js';
import { FaultScene, anomalies } from './fault-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { nextSession, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new FaultScene();

afterEach(() => scene.end());

async function hostile(options?: HostileOptions): Promise<{ monitor: HostileMonitor; endpoint: string }> {
  const monitor = scene.keep(await HostileMonitor.start(options), (started) => started.stop());
  const { endpoint } = monitor;
  if (endpoint.kind !== 'unix') throw new Error('a hostile monitor listens on a unix socket');
  return { monitor, endpoint: `unix:${endpoint.path}` };
}

async function rowOf(gateway: GatewayProcess, vm: string): Promise<Record<string, unknown>> {
  return (await exchange(gateway, `/v1/vms/${vm}`)).json();
}

const odd = (gateway: GatewayProcess) => gateway.log().filter(({ msg }) => msg === 'odd bytes from a vm');

/** What is left of a text in which a terminal finds nothing to obey. */
const printable = (text: string) => !/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u.test(text);

async function head(gateway: GatewayProcess): Promise<string> {
  return ((await exchange(gateway, '/v1/vms')).json() as { cursor: string }).cursor;
}

/** The events of a VM after a position, up to and with the first of this name. */
async function eventsUntil(gateway: GatewayProcess, after: string, last: string): Promise<StreamedEvent[]> {
  const stream = await openLines(gateway, `/v1/events?after=${after}`, 'application/x-ndjson');
  const events: StreamedEvent[] = [];
  while (events.at(-1)?.event !== last) events.push(...(await nextNdjsonEvents(stream, 1)));
  stream.close();
  return events;
}

describe('a server that says everything without end', () => {
  it('has a row with a name cut at 256 characters, no uuid and a short package, and the log says so once', async () => {
    const gateway = await scene.gateway();
    const { monitor, endpoint } = await hostile({ nameLength: 20_000 });
    const vm = await registerVm(gateway, endpoint);
    const row = await rowOf(gateway, vm);
    expect(row).toMatchObject({ state: 'ready', runState: 'running', name: monitor.name.slice(0, 256), uuid: null });
    expect(String(row['package'])).toHaveLength(256);
    expect(JSON.stringify(row).length).toBeLessThan(3000);
    monitor.reconnect();
    await nextSession(gateway, vm, String(row['epoch']));
    for (const kind of ['overlong-name', 'overlong-uuid', 'odd-definitions']) {
      expect(odd(gateway).filter((line) => line['kind'] === kind)).toHaveLength(1);
      expect(await anomalies(gateway, vm, kind)).toBe(2);
    }
    expect(odd(gateway).find(({ kind }) => kind === 'overlong-name')).toMatchObject({
      vm,
      detail: `its name has ${monitor.name.length} characters; the first 256 are shown`,
    });
  });

  it('has no name when that has 20 MB, while who asks for it gets every byte', async () => {
    const gateway = await scene.gateway();
    const { monitor, endpoint } = await hostile();
    const vm = await registerVm(gateway, endpoint);
    expect(await rowOf(gateway, vm)).toMatchObject({ state: 'ready', name: null, uuid: null });
    expect(await anomalies(gateway, vm, 'overlong-line')).toBeGreaterThanOrEqual(2);
    const answer = await run(gateway, vm, 'query-name');
    expect(answer.status).toBe(200);
    expect(answer.json()['name'] === monitor.name).toBe(true);
    const refused = problemOf(await run(gateway, vm, 'query-block'));
    expect(refused).toMatchObject({ status: 422, code: 'command-failed', qmp: { class: 'GenericError' } });
    expect(JSON.stringify(refused).length).toBeLessThan(1000);
  });

  it('offers the commands that have a name, and costs no other its schema', async () => {
    const gateway = await scene.gateway();
    const { endpoint } = await hostile({ nameLength: 300 });
    const vm = await registerVm(gateway, endpoint);
    const { commands, events } = (await exchange(gateway, `/v1/vms/${vm}/schema`)).json() as {
      commands: { name: string }[];
      events: { name: string }[];
    };
    expect(commands.length).toBeGreaterThan(500);
    expect(commands.map(({ name }) => name).filter((name) => !/^[\w.-]{1,128}$/.test(name))).toEqual([]);
    expect(events.map(({ name }) => name).filter((name) => name.length > 128)).toEqual([]);
    const ready = gateway.log().find((line) => line['vm'] === vm && Array.isArray(line['unknownCommands']));
    expect(ready?.['unknownCommands']).toHaveLength(20);
    expect(ready?.['unknownCommandCount']).toBeGreaterThan(500);
    expect((await exchange(gateway, `/v1/vms/${vm}/openapi.json`)).status).toBe(200);
  });

  it.each(['huge', 'deep'] as const)('is of no use with a %s schema, and says why', async (schema) => {
    const gateway = await scene.gateway();
    const { endpoint } = await hostile({ nameLength: 10, schema: () => schema });
    const vm = await registerVm(gateway, endpoint, { state: 'waiting' });
    const { lastError } = (await rowOf(gateway, vm)) as { lastError: { code: string; detail: string } };
    expect(lastError.code).toBe(schema === 'huge' ? 'schema-too-large' : 'prepare-failed');
    expect(lastError.detail).toMatch(/^query-qmp-schema: |^entry 0: /);
    expect(lastError.detail.length).toBeLessThanOrEqual(500);
  });
});

describe('a server that sends events in the names of the gateway', () => {
  it('has them delivered under another name, counted, and matched by no filter for those of the gateway', async () => {
    const gateway = await scene.gateway();
    const { monitor, endpoint } = await hostile({ nameLength: 10 });
    const vm = await registerVm(gateway, endpoint);
    const after = await head(gateway);
    const lines = await openLines(gateway, '/v1/events', 'text/event-stream');
    monitor.impersonate();
    monitor.fake.emit('POWERDOWN');
    const seen = await nextSseEvents(lines, ownEventNames.length + 7);
    lines.close();
    const names = seen.map(({ event }) => event);
    expect(names.slice(0, ownEventNames.length)).toEqual(ownEventNames.map((name) => `x-vm:${name}`));
    expect(names.slice(-6)).toEqual([
      'x-vm:eVENT',
      'x-vm:',
      'x-vm:x-vm:STOP',
      'x-vm:STOP ',
      'x-vm:constructor',
      'POWERDOWN',
    ]);
    expect(names.every(printable)).toBe(true);
    expect(seen.every((event) => event.vm === vm)).toBe(true);
    expect(await anomalies(gateway, vm, 'odd-event-name')).toBe(ownEventNames.length + 6);
    for (const name of ownEventNames) {
      const page = (await exchange(gateway, `/v1/events?event=${name}&after=${after}`)).json() as { events: unknown[] };
      expect(page.events).toEqual([]);
    }
    const { events } = (await exchange(gateway, `/v1/events?event=x-vm:vm-*&after=${after}`)).json() as {
      events: StreamedEvent[];
    };
    expect(events.map(({ event }) => event)).toEqual(['x-vm:vm-changed', 'x-vm:vm-removed']);
    expect(await rowOf(gateway, vm)).toMatchObject({ state: 'ready', runState: 'running' });
  });

  it('is heard in its own words on the shared monitor', async () => {
    const directory = path.join(scene.directory(), 'monitors');
    const gateway = await scene.gateway({ settings: { monitorSockets: { dir: directory } } });
    const { monitor, endpoint } = await hostile({ nameLength: 10 });
    const vm = await registerVm(gateway, endpoint);
    const client = await RawQmpClient.connect(path.join(directory, `${vm}.sock`));
    await client.negotiate();
    monitor.impersonate();
    monitor.fake.emit('POWERDOWN');
    const names: unknown[] = [];
    while (names.at(-1) !== 'POWERDOWN')
      names.push((JSON.parse((await client.line()) ?? '') as Record<string, unknown>)['event']);
    client.close();
    expect(names.slice(0, ownEventNames.length)).toEqual([...ownEventNames]);
    expect(names[ownEventNames.length]).toBe(nasty);
  });
});

describe('a server that floods', () => {
  it('loses what is too large, with a gap in its place, and is followed through 200 changes', async () => {
    const gateway = await scene.gateway();
    const { monitor, endpoint } = await hostile({ nameLength: 20_000 });
    const vm = await registerVm(gateway, endpoint);
    const after = await head(gateway);
    const reading = eventsUntil(gateway, after, 'WAKEUP');
    monitor.bloat();
    monitor.flap(200);
    monitor.rave(300_000);
    monitor.jobs(50);
    monitor.fake.emit('WAKEUP');
    const events = await reading;
    const names = events.map(({ event }) => event);
    expect(names.filter((name) => name === 'STOP')).toHaveLength(200);
    expect(names.filter((name) => name.length > 200)).toEqual([]);
    // One of BLOCK_JOB_ERROR, one of RTC_CHANGE.
    const gaps = events.filter(({ event }) => event === 'gap');
    expect(gaps.map(({ vm: of, data }) => [of, data['missed']])).toEqual([
      [vm, 1],
      [vm, 1],
    ]);
    const changed = events.filter(({ event }) => event === 'vm-changed').map((event) => JSON.stringify(event).length);
    expect(Math.max(...changed)).toBeLessThan(3000);
    for (const event of events.filter((one) => one.event === 'operation'))
      expect(JSON.stringify(event).length).toBeLessThan(80_000);
    expect(await anomalies(gateway, vm, 'overlong-event')).toBe(4);
    expect(await anomalies(gateway, vm, 'foreign-reply')).toBeGreaterThanOrEqual(1);
    expect(await rowOf(gateway, vm)).toMatchObject({ state: 'ready', runState: 'running' });
  });

  it('leaves nothing in the log, the metrics or the operations that could be taken for something else', async () => {
    const gateway = await scene.gateway();
    const { monitor, endpoint } = await hostile({ nameLength: 3000 });
    const vm = await registerVm(gateway, endpoint);
    const after = await head(gateway);
    const reading = eventsUntil(gateway, after, 'WAKEUP');
    for (let round = 0; round < 5; round++) {
      monitor.impersonate();
      monitor.bloat();
    }
    monitor.jobs(900);
    monitor.fake.emit('WAKEUP');
    await reading;
    const lines = gateway.stderr().split('\n');
    expect(lines.every(printable)).toBe(true);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(3000);
    const kinds = odd(gateway).map(({ kind }) => kind);
    expect(kinds).toEqual([...new Set(kinds)]);
    const { text } = await exchange(gateway, '/metrics');
    for (const line of text.split('\n'))
      expect(line).toMatch(/^(?:#.*|[a-z_]\w*(?:\{(?:\w+="[^"\\\n]*",?)*\})? \S+|)$/);
    const { operations } = (await exchange(gateway, `/v1/vms/${vm}/operations`)).json() as { operations: object[] };
    expect(operations.length).toBeLessThan(900);
    expect(await anomalies(gateway, vm, 'jobs-left-out')).toBeGreaterThan(0);
    const kept = readFileSync(path.join(gateway.state, 'operations.log'), 'utf8');
    expect(Math.max(...kept.split('\n').map((line) => line.length))).toBeLessThan(200_000);
  });
});
