import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, nextSseEvents, openLines } from './event-readers.js';
import { change, echo, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, makeToken, run } from './gateway-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

/** What the fake machine's screendump takes. */
const device = '{"id":"x"}';
const readAgain = 'settings and the files they name read again';
const kept = 'settings cannot be read again; all stays as it was';
const messages = (gateway: GatewayProcess) => gateway.log().map(({ msg }) => msg);

/** Puts these settings in place and waits until the log says what became of that. */
async function reload(
  gateway: GatewayProcess,
  settings: object,
  outcome = readAgain,
): Promise<Record<string, unknown>[]> {
  const before = gateway.log().length;
  gateway.rewriteSettings({ listen: ['127.0.0.1:0'], ...settings });
  gateway.process.kill('SIGHUP');
  await expect.poll(() => messages(gateway).slice(before), { timeout: 10_000 }).toContain(outcome);
  return gateway.log().slice(before);
}

async function rowsById(gateway: GatewayProcess): Promise<Record<string, Record<string, unknown>>> {
  const { vms } = (await exchange(gateway, '/v1/vms')).json() as { vms: { id: string }[] };
  return Object.fromEntries(vms.map((vm) => [vm.id, vm as Record<string, unknown>]));
}

describe('SIGHUP', () => {
  it('brings VMs, takes them away, relabels and moves them; the sessions and streams of the others go on', async () => {
    const [stays, relabelled, moved, target, added, removed] = await Promise.all(
      Array.from({ length: 6 }, () => fakeMachine(scene)),
    );
    const directory = scene.directory();
    const monitors = path.join(scene.directory(), 'monitors');
    await fakeMachine(scene, { path: path.join(directory, 'found.qmp') });
    const vm = (machine: typeof stays, more: object = {}) => ({ endpoint: machine?.endpoint, ...more });
    const gateway = await scene.gateway({
      listen: [],
      settings: {
        listen: ['127.0.0.1:0'],
        vms: { stays: vm(stays), relabelled: vm(relabelled), moved: vm(moved), removed: vm(removed) },
        monitorSockets: { dir: monitors },
        ...fakeMachineSettings,
      },
    });
    for (const id of ['stays', 'relabelled', 'moved', 'removed']) await gateway.vmBecomes(id, 'ready');
    const before = await rowsById(gateway);
    const stream = await openLines(gateway, '/v1/events', 'application/x-ndjson');
    const sse = await openLines(gateway, '/v1/vms/stays/events?event=RESET', 'text/event-stream');
    const shared = scene.keep(await RawQmpClient.connect(`${monitors}/stays.sock`), (open) => open.close());
    await shared.negotiate();
    const socket = scene.keep(await JsonRpcClient.connect(gateway), (open) => open.close());
    await socket.request('subscribe', '{"vm":"stays","event":"RESET"}');
    stays?.fake.on(change, () => null);
    const arrived = stays?.fake.next(change);
    const inFlight = run(gateway, 'stays', change);
    const command = await arrived;

    await reload(gateway, {
      vms: {
        stays: vm(stays),
        relabelled: vm(relabelled, { labels: { tenant: 'a' }, hostCommands: false }),
        moved: vm(target),
        added: vm(added),
      },
      discover: [{ qmp: `${directory}/{id}.qmp` }],
      monitorSockets: { dir: monitors },
      ...fakeMachineSettings,
    });
    for (const id of ['moved', 'added', 'found']) await gateway.vmBecomes(id, 'ready');
    const after = await rowsById(gateway);
    expect(Object.keys(after).sort()).toEqual(['added', 'found', 'moved', 'relabelled', 'stays']);
    expect(after['stays']).toEqual({ ...before['stays'], inFlight: 1 });
    expect(after['relabelled']).toEqual({ ...before['relabelled'], labels: { tenant: 'a' } });
    expect(after['moved']?.['epoch']).not.toBe(before['moved']?.['epoch']);
    expect(after['found']).toMatchObject({ source: 'discovery' });
    expect([moved, removed].map((machine) => machine?.fake.connections.length)).toEqual([0, 0]);
    expect((await run(gateway, 'relabelled', 'screendump', device)).json()).toMatchObject({ code: 'forbidden' });

    // What was open is: the command gets its answer, every stream its events.
    if (command === undefined) throw new Error('no command');
    stays?.fake.answer(command, { json: '{"late":1}' });
    expect((await inFlight).text).toBe('{"late":1}');
    stays?.fake.emit('RESET', { guest: true, reason: 'guest-reset' });
    expect(await socket.events(1)).toMatchObject([{ vm: 'stays', event: 'RESET' }]);
    expect(await nextSseEvents(sse, 1)).toMatchObject([{ vm: 'stays', event: 'RESET' }]);
    expect(await shared.line()).toContain('"event": "RESET"');
    const told: string[] = [];
    while (!told.includes('stays RESET')) {
      const [event] = await nextNdjsonEvents(stream, 1);
      told.push(`${event?.vm ?? ''} ${event?.event ?? ''}`);
    }
    expect(told).toContain('removed vm-removed');
    expect(told).toContain('added vm-changed');
    stream.close();
  });

  it('takes tokens as they are now: revoked ones lose their streams, the others nothing', async () => {
    const machine = await fakeMachine(scene);
    const gateway = await scene.gateway({ settings: { vms: { web: { endpoint: machine.endpoint } } } });
    const good = { ...gateway, token: makeToken(gateway, { level: 'read', vms: ['*'] }) };
    const bad = { ...gateway, token: makeToken(gateway, { level: 'read', vms: ['*'] }) };
    const [goodSocket, badSocket] = [await JsonRpcClient.connect(good), await JsonRpcClient.connect(bad)];
    for (const socket of [goodSocket, badSocket]) {
      scene.keep(socket, (open) => open.close());
      await socket.request('subscribe', '{}');
    }
    const file = path.join(gateway.state, 'tokens.json');
    const { tokens } = JSON.parse(readFileSync(file, 'utf8')) as { tokens: { id: string }[] };
    const id = bad.token.split('_')[1];
    writeFileSync(file, JSON.stringify({ tokens: tokens.filter((token) => token.id !== id) }));
    gateway.process.kill('SIGHUP');
    expect((await badSocket.closed).code).toBe(4401);
    expect((await exchange(bad, '/v1/vms')).status).toBe(401);
    machine.fake.emit('RESET', { guest: true, reason: 'guest-reset' });
    for (;;) {
      const [event] = await goodSocket.events(1);
      if (event?.event === 'RESET') break;
    }

    // A file that can't be understood changes nothing.
    writeFileSync(file, '{"tokens": [');
    gateway.process.kill('SIGHUP');
    await expect.poll(() => messages(gateway), { timeout: 10_000 }).toContain(kept);
    expect((await exchange(good, '/v1/vms')).status).toBe(200);
    expect((await exchange(bad, '/v1/vms')).status).toBe(401);
  });

  it('takes limits and access lists', async () => {
    const machine = await fakeMachine(scene);
    const vms = { web: { endpoint: machine.endpoint } };
    const gateway = await scene.gateway({
      listen: [],
      settings: { listen: ['127.0.0.1:0'], vms, ...fakeMachineSettings },
    });
    await gateway.vmBecomes('web', 'ready');
    const origin = { Origin: 'https://dash.example.org' };
    const text = JSON.stringify({ text: 'x'.repeat(2000) });
    const look = async () => ({
      origin: (await exchange(gateway, '/v1/vms', { headers: origin })).status,
      host: (await exchange(gateway, '/v1/vms', { headers: { Host: 'gw.example.org' } })).status,
      screendump: (await run(gateway, 'web', 'screendump', device)).status,
      command: (await run(gateway, 'web', echo, text)).status,
      body: (await exchange(gateway, '/v1/tokens', { body: text })).status,
      limit: (await exchange(gateway, '/v1/vms')).headers['ratelimit-limit'],
    });
    expect(await look()).toEqual({
      origin: 403,
      host: 403,
      screendump: 200,
      command: 200,
      body: 400,
      limit: undefined,
    });
    await reload(gateway, {
      vms,
      ...fakeMachineSettings,
      allowedOrigins: [origin.Origin],
      allowedHosts: ['GW.example.org'],
      hostCommands: false,
      limits: { commandBytes: 1000, bodyBytes: 1500, requestsPerSecond: 1000 },
    });
    expect(await look()).toEqual({ origin: 200, host: 200, screendump: 403, command: 413, body: 413, limit: '1000' });
    await reload(gateway, { vms, ...fakeMachineSettings });
    expect(await look()).toEqual({
      origin: 403,
      host: 403,
      screendump: 200,
      command: 200,
      body: 400,
      limit: undefined,
    });
    const changes = readFileSync(path.join(gateway.state, 'audit.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"change":"settings-changed"'));
    expect(changes).toHaveLength(2);
    expect(changes[0]).toContain('"limits.commandBytes"');
  });

  it('with a file that is wrong leaves all as it was, and logs each fault', async () => {
    const machine = await fakeMachine(scene);
    const vms = { web: { endpoint: machine.endpoint } };
    const gateway = await scene.gateway({ listen: [], settings: { listen: ['127.0.0.1:0'], vms } });
    const before = await gateway.vmBecomes('web', 'ready');
    const log = await reload(
      gateway,
      { vms: { other: { endpoint: 'ftp:/x' } }, allowedHosts: ['new'], catalogs: ['/nonexistent'], limts: 1 },
      kept,
    );
    const faults = log
      .filter(({ level, msg }) => level === 50 && msg !== kept)
      .map(({ msg }) => String(msg).split(':')[0]);
    expect(faults.sort()).toEqual(['catalogs', 'limts', 'vms.other.endpoint']);
    expect(await rowsById(gateway)).toEqual({ web: { ...before, inFlight: 0 } });
    expect((await exchange(gateway, '/v1/vms', { headers: { Host: 'new' } })).status).toBe(403);
  });

  it('says what needs a restart, and takes the rest', async () => {
    const gateway = await scene.gateway({ listen: [], settings: { listen: ['127.0.0.1:0'] } });
    const restart = 'changed in the settings, but it needs a restart';
    await reload(
      gateway,
      { listen: ['127.0.0.1:0', '[::1]:0'], history: { events: 5 }, limits: { lineBytes: '1MiB' }, logLevel: 'debug' },
      `limits.lineBytes: ${restart}`,
    );
    const settings = messages(gateway).filter((msg) => String(msg).endsWith(restart));
    expect(settings).toEqual(['listen', 'history.events', 'limits.lineBytes'].map((key) => `${key}: ${restart}`));
    const taken = () => gateway.log().find(({ msg }) => msg === readAgain);
    await expect.poll(() => taken()?.['changed']).toEqual(['logLevel']);
    expect((await exchange(gateway, '/v1')).status).toBe(200);
  });
});
