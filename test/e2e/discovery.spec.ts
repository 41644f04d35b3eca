import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { monitorArguments } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, openLines } from './event-readers.js';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, run } from './gateway-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

type Row = Record<string, unknown>;

async function rows(gateway: GatewayProcess): Promise<Row[]> {
  return exchange(gateway, '/v1/vms').then((answer) => answer.json()['vms']) as Promise<Row[]>;
}

/** Waits for the VM's row to come, to go or to change as its events say. */
async function eventOf(
  gateway: GatewayProcess,
  vm: string,
  matches: (event: string, data: Row) => boolean,
  trigger: () => unknown,
): Promise<Row> {
  const { cursor } = (await exchange(gateway, '/v1/vms')).json();
  const began = performance.now();
  await trigger();
  const stream = await openLines(gateway, `/v1/events?vm=${vm}&after=${String(cursor)}`, 'application/x-ndjson');
  try {
    for (;;) {
      const [event] = await nextNdjsonEvents(stream, 1);
      if (event === undefined || !matches(event.event, event.data)) continue;
      process.stdout.write(`${vm}: ${event.event} after ${Math.round(performance.now() - began)} ms\n`);
      return event.data;
    }
  } finally {
    stream.close();
  }
}
const becomes = (gateway: GatewayProcess, vm: string, state: string, trigger: () => unknown) =>
  eventOf(gateway, vm, (event, data) => event === 'vm-changed' && data['state'] === state, trigger);
const goes = (gateway: GatewayProcess, vm: string, trigger: () => unknown) =>
  eventOf(gateway, vm, (event) => event === 'vm-removed', trigger);

describe('VMs that are discovered', () => {
  it('are there at the listening line, come with their sockets and go with them: real QEMUs', async () => {
    const directory = scene.directory();
    const started = (name: string) =>
      scene.qemu({ directory, qmpSockets: 0, args: monitorArguments(path.join(directory, `${name}.qmp`), 0) });
    await started('first');
    const gateway = await scene.gateway({ args: ['--discover', `${directory}/{id}.qmp`] });
    expect(await rows(gateway)).toMatchObject([{ id: 'first', source: 'discovery', labels: {} }]);
    await gateway.vmBecomes('first', 'ready');

    let second: Awaited<ReturnType<typeof started>> | undefined;
    const row = await becomes(gateway, 'second', 'ready', async () => (second = await started('second')));
    expect(row).toMatchObject({ source: 'discovery', endpoint: `unix:${directory}/second.qmp`, kind: 'qemu' });

    const cursor = String((await exchange(gateway, '/v1/vms')).json()['cursor']);
    // It says itself that it ends, and its last answer comes through before its row goes.
    await goes(gateway, 'second', async () => {
      expect(await run(gateway, 'second', 'quit')).toMatchObject({ status: 200 });
      await second?.ended;
    });
    const ends = (await exchange(gateway, `/v1/events?vm=second&event=SHUTDOWN&after=${cursor}`)).json();
    expect(ends['events']).toMatchObject([{ vm: 'second', event: 'SHUTDOWN' }]);
    expect((await rows(gateway)).map(({ id }) => id)).toEqual(['first']);
  });

  it('carry what their path says: labels, agent', async () => {
    const directory = scene.directory();
    const gateway = await scene.gateway({
      settings: {
        discover: [{ qmp: `${directory}/{tenant}/{id}.qmp`, agent: `${directory}/{tenant}/{id}.qga` }],
        ...fakeMachineSettings,
      },
    });
    expect(await rows(gateway)).toEqual([]);
    const row = await becomes(gateway, 'web', 'ready', async () => {
      mkdirSync(path.join(directory, 'red'));
      await fakeMachine(scene, { path: path.join(directory, 'red', 'web.qmp') });
    });
    expect(row).toMatchObject({ labels: { tenant: 'red' }, agent: { endpoint: `unix:${directory}/red/web.qga` } });
  });

  it('belong to discovery: the API neither changes nor forgets them', async () => {
    const directory = scene.directory();
    const machine = await fakeMachine(scene, { path: path.join(directory, 'web.qmp') });
    const gateway = await scene.gateway({ args: ['--discover', `${directory}/{id}.qmp`] });
    for (const method of ['PUT', 'DELETE'])
      expect(
        problemOf(
          await exchange(gateway, '/v1/vms/web', {
            method,
            ...(method === 'PUT' ? { body: JSON.stringify({ endpoint: machine.endpoint }) } : {}),
          }),
        ),
      ).toMatchObject({ status: 409, code: 'vm-managed', vm: 'web' });
  });

  it('whose socket is stale wait, and say why', async () => {
    const directory = scene.directory();
    const server = createServer();
    server.listen(path.join(directory, 'live'));
    await once(server, 'listening');
    renameSync(path.join(directory, 'live'), path.join(directory, 'web.qmp'));
    server.close();
    const gateway = await scene.gateway({ args: ['--discover', `${directory}/{id}.qmp`] });
    const row = await gateway.vmBecomes('web', 'waiting');
    expect(row).toMatchObject({ source: 'discovery', lastError: { code: 'refused' } });
  });

  it('are another VM when another server takes the socket, though the one before lives on', async () => {
    const directory = scene.directory();
    const file = path.join(directory, 'web.qmp');
    const before = await fakeMachine(scene, { path: file });
    const gateway = await scene.gateway({
      settings: { discover: [{ qmp: `${directory}/{id}.qmp` }], ...fakeMachineSettings },
    });
    const { epoch } = await gateway.vmBecomes('web', 'ready');
    const after = await fakeMachine(scene, { path: path.join(directory, 'other') });
    await eventOf(
      gateway,
      'web',
      (event, data) => event === 'vm-changed' && data['state'] === 'ready' && data['epoch'] !== epoch,
      () => renameSync(path.join(directory, 'other'), file),
    );
    expect([before.fake.connections.length, after.fake.connections.length]).toEqual([0, 1]);
  });

  it('give way to settings and to what the API has stored, with a warning', async () => {
    const directory = scene.directory();
    const state = path.join(directory, 'state');
    const elsewhere = await fakeMachine(scene);
    const first = await scene.gateway({ state });
    await exchange(first, '/v1/vms/stored', { method: 'PUT', body: JSON.stringify({ endpoint: elsewhere.endpoint }) });
    await first.stop();

    for (const id of ['named', 'stored', 'free']) await fakeMachine(scene, { path: path.join(directory, `${id}.qmp`) });
    const gateway = await scene.gateway({
      state,
      settings: { vms: { named: { endpoint: elsewhere.endpoint } }, discover: [{ qmp: `${directory}/{id}.qmp` }] },
    });
    expect((await rows(gateway)).map(({ id, source }) => `${String(id)} ${String(source)}`).sort()).toEqual([
      'free discovery',
      'named settings',
      'stored api',
    ]);
    const warnings = () => gateway.log().filter(({ level }) => level === 40);
    // The log comes by another way than the answer.
    await expect
      .poll(() =>
        warnings()
          .map(({ msg }) => msg)
          .sort(),
      )
      .toEqual([
        'VM named comes from settings and discovery: what settings says counts',
        'VM stored comes from api and discovery: what api says counts',
      ]);

    // Forgotten by the API, it is what was discovered.
    expect((await exchange(gateway, '/v1/vms/stored', { method: 'DELETE' })).status).toBe(204);
    expect((await exchange(gateway, '/v1/vms/stored')).json()).toMatchObject({ source: 'discovery' });
    await goes(gateway, 'free', () => rmSync(path.join(directory, 'free.qmp')));
  });
});
