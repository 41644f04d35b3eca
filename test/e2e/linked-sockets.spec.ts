import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { monitorArguments } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, run } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

const scene = new GatewayScene();
let directory: string;

beforeEach(() => (directory = scene.directory()));
afterEach(() => scene.end());

const at = (...names: string[]): string => path.join(directory, ...names);

/** A machine in a directory of its tenant. */
async function machine(name: string): Promise<FakeMachine> {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  return fakeMachine(scene, { path: at(name) });
}

async function rows(gateway: GatewayProcess): Promise<[string, unknown][]> {
  const { vms } = (await exchange(gateway, '/v1/vms')).json() as { vms: { id: string; labels: object }[] };
  return vms.map(({ id, labels }): [string, unknown] => [id, labels]).sort();
}

const bearer = (token: string | undefined): Record<string, string> => ({ Authorization: `Bearer ${token}` });

const warnings = (gateway: GatewayProcess): unknown[] =>
  gateway
    .log()
    .filter(({ level }) => level === 40)
    .map(({ msg }) => msg);

const put = (gateway: GatewayProcess, id: string, body: object, token?: string): Promise<Exchange> =>
  exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body: JSON.stringify(body), headers: bearer(token) });

/** Waits for the row to say why the VM is not there. */
async function refusedAs(gateway: GatewayProcess, vm: string, code: string): Promise<void> {
  for (;;) {
    const row = (await exchange(gateway, `/v1/vms/${vm}`)).json();
    if ((row['lastError'] as { code: string } | null)?.code === code && row['state'] !== 'ready') return;
  }
}

describe('a link in a directory of a tenant', () => {
  it('shows no VM of another tenant as his: real QEMU, links of every kind', async () => {
    mkdirSync(at('blue'));
    await scene.qemu({ directory, qmpSockets: 0, args: monitorArguments(at('blue', 'db.qmp'), 0) });
    mkdirSync(at('red'));
    symlinkSync(at('blue', 'db.qmp'), at('red', 'file.qmp'));
    symlinkSync('../blue/db.qmp', at('red', 'relative.qmp'));
    symlinkSync('blue', at('green'));
    const gateway = await scene.gateway({ args: ['--discover', `${directory}/{tenant}/{id}.qmp`] });
    expect(await rows(gateway)).toEqual([['db', { tenant: 'blue' }]]);
    expect((await gateway.vmBecomes('db', 'ready'))['labels']).toEqual({ tenant: 'blue' });
    expect(warnings(gateway).sort()).toEqual([
      expect.stringContaining(`${at('green')} is a link`),
      expect.stringContaining(`${at('red', 'file.qmp')} is a link`),
      expect.stringContaining(`${at('red', 'relative.qmp')} is a link`),
    ]);
  });

  it('shows none either as a second name of the socket, nor where a name behind the placeholder is one', async () => {
    await machine('blue/qmp/db');
    mkdirSync(at('red', 'qmp'), { recursive: true });
    linkSync(at('blue', 'qmp', 'db'), at('red', 'qmp', 'web'));
    mkdirSync(at('green'));
    symlinkSync('../blue/qmp', at('green', 'qmp'));
    const gateway = await scene.gateway({ args: ['--discover', `${directory}/{tenant}/qmp/{id}`] });
    expect(await rows(gateway)).toEqual([]);
    // Its own name is as good as the other: which of them was first, nobody can tell. With one of them gone it is there.
    rmSync(at('red', 'qmp', 'web'));
    await exchange(gateway, '/v1/events?vm=db&event=vm-changed&wait=30s&limit=1');
    expect(await gateway.vmBecomes('db', 'ready')).toMatchObject({ labels: { tenant: 'blue' } });
  });

  it('is no way to an agent: neither a link nor a name that makes a path lead up', async () => {
    await machine('vms/red/web.qmp');
    await machine('blue/db.qmp');
    await machine('t-../up.qmp');
    mkdirSync(at('agents', 'red'), { recursive: true });
    symlinkSync(at('blue', 'db.qmp'), at('agents', 'red', 'web.qga'));
    const gateway = await scene.gateway({
      settings: {
        discover: [
          { qmp: `${directory}/vms/{tenant}/{id}.qmp`, agent: `${directory}/agents/{tenant}/{id}.qga` },
          { qmp: `${directory}/t-{tenant}/{id}.qmp`, agent: `${directory}/agents/{tenant}/{id}.qga` },
        ],
        ...fakeMachineSettings,
      },
    });
    await gateway.vmBecomes('web', 'ready');
    for (;;) {
      const { agent } = (await exchange(gateway, '/v1/vms/web')).json() as { agent: Record<string, unknown> };
      if (agent['state'] === 'connecting') continue;
      expect(agent).toMatchObject({ state: 'waiting', lastError: { code: 'linked-path' } });
      break;
    }
    expect((await exchange(gateway, '/v1/vms/up')).json()).not.toHaveProperty('agent');
    expect(warnings(gateway)).toEqual([expect.stringContaining(`${at('t-..', 'up.qmp')}: its name makes a path`)]);
  });

  it('may be in the part of a pattern that the operator wrote', async () => {
    await machine('real/red/web.qmp');
    symlinkSync('real', at('run'));
    const gateway = await scene.gateway({
      settings: { discover: [{ qmp: `${directory}/run/{tenant}/{id}.qmp` }], ...fakeMachineSettings },
    });
    expect(await gateway.vmBecomes('web', 'ready')).toMatchObject({
      endpoint: `unix:${directory}/run/red/web.qmp`,
      labels: { tenant: 'red' },
    });
  });
});

describe('a link within the endpoints of a token', () => {
  const grant = (...endpoints: string[]) => ({ level: 'configure', vms: ['*'], endpoints }) as const;

  it('registers no VM: file, directory, listening, and by a token made of the token', async () => {
    await machine('blue/db.qmp');
    mkdirSync(at('red'));
    symlinkSync(at('blue', 'db.qmp'), at('red', 'web.qmp'));
    symlinkSync(at('blue'), at('red', 'sub'));
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const token = makeToken(gateway, grant(`unix:${directory}/red/*`, `listen:unix:${directory}/red/*`));
    for (const endpoint of [`unix:${at('red', 'web.qmp')}`, `unix:${at('red', 'sub', 'db.qmp')}`])
      expect((await put(gateway, 'mine', { endpoint }, token)).json()).toMatchObject({
        status: 403,
        code: 'forbidden',
        detail: expect.stringMatching(/^endpoint: .* is a link, and may lead out of what was granted/) as string,
      });
    const listening = { endpoint: `listen:unix:${at('red', 'sub', 'in')}` };
    expect((await put(gateway, 'mine', listening, token)).status).toBe(403);
    const agent = { endpoint: `unix:${at('red', 'own.qmp')}`, agent: `unix:${at('red', 'web.qmp')}` };
    expect((await put(gateway, 'mine', agent, token)).status).toBe(403);

    for (const endpoint of [`unix:${at('red', 'web.qmp')}`, `unix:${at('red', 'sub')}/*`]) {
      const body = JSON.stringify({ level: 'configure', endpoints: [endpoint] });
      const made = (await exchange(gateway, '/v1/tokens', { method: 'POST', body, headers: bearer(token) })).json();
      const meant = { endpoint: endpoint.replace('*', 'db.qmp') };
      expect(problemOf(await put(gateway, 'mine', meant, String(made['token'])))).toMatchObject({ status: 403 });
    }
    expect(await rows(gateway)).toEqual([]);
  });

  it('leads to no socket of the gateway itself', async () => {
    mkdirSync(at('run', 'monitors'), { recursive: true, mode: 0o700 });
    await machine('run/db.qmp');
    const gateway = await scene.gateway({
      settings: { discover: [{ qmp: `${directory}/run/{id}.qmp` }], monitorSockets: { dir: at('run', 'monitors') } },
    });
    const token = makeToken(gateway, { ...grant(`unix:${directory}/run/*`), vms: ['mine'] });
    const endpoint = `unix:${at('run', 'monitors', 'db.sock')}`;
    expect((await put(gateway, 'mine', { endpoint }, token)).json()).toMatchObject({
      status: 403,
      detail: expect.stringContaining('a socket of the gateway itself') as string,
    });
  });

  it('is followed in what the operator wrote, and for level host', async () => {
    await machine('real/red/web.qmp');
    await machine('real/red/db.qmp');
    symlinkSync('real', at('run'));
    symlinkSync('real/red/db.qmp', at('db.qmp'));
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const token = makeToken(gateway, grant(`unix:${directory}/run/*`, `unix:${directory}/db.qmp`));
    expect((await put(gateway, 'web', { endpoint: `unix:${at('run', 'red', 'web.qmp')}` }, token)).status).toBe(201);
    await gateway.vmBecomes('web', 'ready');
    expect((await put(gateway, 'db', { endpoint: `unix:${at('db.qmp')}` }, token)).status).toBe(201);
    await gateway.vmBecomes('db', 'ready');
    expect((await exchange(gateway, '/v1/vms/db', { method: 'DELETE', headers: bearer(token) })).status).toBe(204);
    expect((await put(gateway, 'db', { endpoint: `unix:${at('db.qmp')}` }, gateway.token)).status).toBe(201);
    await gateway.vmBecomes('db', 'ready');
  });

  it.each([
    [
      'the socket',
      () => renameSync(at('link'), at('red', 'web.qmp')),
      () => symlinkSync(at('blue', 'db.qmp'), at('link')),
    ],
    [
      'its directory',
      () => {
        renameSync(at('red'), at('was-red'));
        renameSync(at('link'), at('red'));
      },
      () => {
        symlinkSync(at('blue', 'web.qmp'), at('blue', 'web.qmp'));
        symlinkSync('blue', at('link'));
      },
    ],
  ])(
    'that takes the place of %s later is not dialled, and not after a restart of the gateway',
    async (_, take, make) => {
      const victim = await machine('blue/db.qmp');
      const own = await machine('red/web.qmp');
      make();
      const state = at('state');
      const first = await scene.gateway({ state, settings: fakeMachineSettings });
      const token = makeToken(first, grant(`unix:${directory}/*`));
      expect((await put(first, 'web', { endpoint: own.endpoint }, token)).status).toBe(201);
      await first.vmBecomes('web', 'ready');
      take();
      own.fake.connections[0]?.close();
      await refusedAs(first, 'web', 'linked-path');
      expect((await run(first, 'web', 'query-status')).status).toBe(503);
      await first.stop();
      const second = await scene.gateway({ state, settings: fakeMachineSettings });
      await refusedAs(second, 'web', 'linked-path');
      expect(victim.fake.accepted).toBe(0);
      // Its owner can still forget it.
      expect((await exchange(second, '/v1/vms/web', { method: 'DELETE', headers: bearer(token) })).status).toBe(204);
    },
  );
});
