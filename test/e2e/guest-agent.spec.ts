import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bundledCatalogs, loadBundledCatalog } from '@qmp-gateway/catalog';
import { syncAnswer } from '@qmp-gateway/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, AgentScene, socketOf } from './agent-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { makeToken, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

const lasting = new AgentScene();
const scene = new AgentScene();
let shared: GatewayProcess;

beforeAll(async () => {
  shared = await lasting.gateway();
});
afterEach(() => scene.end());
afterAll(() => lasting.end());

/** Runs a command of the agent of the VM `web` by POST. */
function runOnAgent(
  gateway: GatewayProcess,
  command: string,
  args?: string,
  headers?: Readonly<Record<string, string>>,
): Promise<Exchange> {
  return exchange(gateway, `/v1/vms/web/agent/${command}`, {
    method: 'POST',
    ...(args === undefined ? {} : { body: args }),
    ...(headers === undefined ? {} : { headers }),
  });
}

/** What commands of the agent can't do without, by name of the member. */
const samples: Readonly<Record<string, unknown>> = {
  ...{ handle: 1, pid: 1, id: 1, offset: 0, whence: 0, path: '/p', 'buf-b64': 'YQ==' },
  ...{ username: 'u', password: 'cA==', crypted: false, keys: ['k'], vcpus: [], 'mem-blks': [], time: 1 },
};

async function realAgent(settings?: object, args: readonly string[] = []): Promise<GatewayProcess> {
  const directory = scene.directory();
  await scene.guestAgent(directory, args);
  const sockets = { web: path.join(directory, 'qga') };
  const gateway = await (settings === undefined
    ? scene.registerAgents(shared, sockets)
    : scene.gatewayWithAgents(sockets, settings));
  await agentBecomes(gateway, 'web', 'ready');
  await gateway.vmBecomes('web', 'ready');
  return gateway;
}

describe('commands of a guest agent', () => {
  it('are answered with the bytes of their return, by GET, by POST and as a message', async () => {
    const gateway = await realAgent();
    const ping = await exchange(gateway, '/v1/vms/web/agent/guest-ping');
    expect([ping.status, ping.text]).toEqual([200, '{}']);
    expect(ping.headers).toMatchObject({
      'qmp-vm-epoch': expect.any(String),
      'qmp-operation': expect.any(String),
      'server-timing': expect.stringContaining('qmp;dur='),
    });
    const time = await runOnAgent(gateway, 'guest-get-time');
    // Nanoseconds: beyond what a double holds exactly.
    expect(time.text).toMatch(/^\d{19}$/);
    const message = await exchange(gateway, '/v1/vms/web/agent', { body: '{"execute":"guest-get-host-name"}' });
    expect(message.json()).toEqual({ 'host-name': expect.any(String) });
    const asString = await runOnAgent(gateway, 'guest-get-time', undefined, {
      Accept: 'application/json;int64=string',
    });
    expect(asString.text).toMatch(/^"\d{19}"$/);
    const operation = await exchange(gateway, `/v1/vms/web/operations/${String(time.headers['qmp-operation'])}`);
    expect(operation.text).toContain(`"state":"done"`);
    expect(operation.text).toContain(`"return":${time.text}`);
  });

  it('pass the checks of all commands, and are audited', async () => {
    const gateway = await realAgent(undefined, ['-b', 'guest-get-users']);
    const answers = {
      // What the agent offers, no more: this one is switched off, the next one is of other guests.
      'guest-get-users': [404, 'command-not-found', 'not-sent'],
      'guest-get-devices': [404, 'command-not-found', 'not-sent'],
      'guest-sync': [501, 'not-offered', 'not-sent'],
      'query-status': [404, 'command-not-found', 'not-sent'],
      'guest-file-close': [400, 'invalid-arguments', 'not-sent'],
    };
    for (const [command, [status, code, outcome]] of Object.entries(answers))
      expect(problemOf(await runOnAgent(gateway, command)), command).toMatchObject({ status, code, outcome, command });
    const missing = await runOnAgent(gateway, 'guest-file-open', '{"path":"/nowhere/at/all"}');
    expect(problemOf(missing)).toMatchObject({
      ...{ status: 422, code: 'command-failed', outcome: 'refused', vm: 'web' },
      qmp: { class: 'GenericError', desc: expect.stringContaining('/nowhere/at/all') },
    });
    const misspelt = await runOnAgent(gateway, 'guest-pin');
    expect(misspelt.json()).toMatchObject({ detail: expect.stringContaining('guest-ping') });
    expect((await exchange(gateway, '/v1/vms/web/agent/guest-file-open')).headers['allow']).toBe('POST');
    const dry = await runOnAgent(gateway, 'guest-ping', undefined, { 'Dry-Run': 'true' });
    expect(dry.json()).toEqual({ wouldSend: { execute: 'guest-ping' }, class: 'read' });
    expect((await runOnAgent(gateway, 'guest-ping', undefined, { 'QMP-VM-Epoch': 'other' })).status).toBe(412);
    const password = '{"username":"nobody-here","password":"c2VjcmV0","crypted":false}';
    expect((await runOnAgent(gateway, 'guest-set-user-password', password)).status).toBe(422);
    const auditLog = () => readFileSync(path.join(gateway.state, 'audit.log'), 'utf8');
    // Lines are gathered for some milliseconds.
    while (!auditLog().includes('guest-set-user-password')) await exchange(gateway, '/livez');
    const audit = auditLog();
    expect(audit).toMatch(/"command":"guest-file-open","class":"host","rule":"base","arguments":\{"path":"\/nowhere/);
    expect(audit).not.toContain('c2VjcmV0');
  });

  it('need the level of their class', async () => {
    const gateway = await realAgent({ hostCommands: false });
    const as = (level: 'read' | 'operate') => ({
      Authorization: `Bearer ${makeToken(gateway, { level, vms: ['*'] })}`,
    });
    const reader = as('read');
    expect((await runOnAgent(gateway, 'guest-ping', undefined, reader)).status).toBe(200);
    for (const command of ['guest-shutdown', 'guest-fsfreeze-freeze', 'guest-file-open', 'guest-exec'])
      expect(problemOf(await runOnAgent(gateway, command, undefined, reader)), command).toMatchObject({
        code: 'forbidden',
      });
    const exec = await runOnAgent(gateway, 'guest-exec', '{"path":"/bin/true"}');
    expect(exec.json()).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('hostCommands') });
    const others = { Authorization: `Bearer ${makeToken(gateway, { level: 'host', vms: ['db-*'] })}` };
    expect(problemOf(await runOnAgent(gateway, 'guest-ping', undefined, others))).toMatchObject({
      code: 'vm-not-found',
    });
  });

  it('have no path for a VM without agent', async () => {
    const { socket } = await scene.qemu();
    const vm = await registerVm(shared, `unix:${socket}`);
    const ping = await exchange(shared, `/v1/vms/${vm}/agent/guest-ping`, { method: 'POST' });
    expect(problemOf(ping)).toMatchObject({ code: 'route-not-found', vm });
  });
});

describe('what an agent offers', () => {
  const names = (schema: Record<string, unknown>) => (schema['commands'] as { name: string }[]).map(({ name }) => name);

  it('is in the document of the gateway: every command of the newest catalog', async () => {
    const { paths } = (await exchange(shared, '/openapi.json')).json() as { paths: Record<string, object> };
    const newest = bundledCatalogs().find(({ kind, version }) => kind === 'guest-agent' && version.startsWith('10.2'));
    const commands = [...(await loadBundledCatalog({ file: newest?.file ?? '' })).model.commands.keys()];
    expect(commands).toHaveLength(44);
    const described = Object.keys(paths).filter((path) => path.startsWith('/v1/vms/{vm}/agent/guest-'));
    expect(described.sort()).toEqual(commands.map((name) => `/v1/vms/{vm}/agent/${name}`).sort());
  });

  it('has a path for each of them that comes to the agent, but for those that synchronize', async () => {
    const newest = bundledCatalogs().find(({ kind, version }) => kind === 'guest-agent' && version.startsWith('10.2'));
    const { model } = await loadBundledCatalog({ file: newest?.file ?? '' });
    const commands = [...model.commands.keys()];
    const fake = await scene.fakeAgent(commands.filter((name) => name !== 'guest-info'));
    const isOurs = (name: string) => name.startsWith('guest-sync');
    for (const name of commands)
      if (!isOurs(name) && name !== 'guest-info') fake.on(name, () => ({ return: { did: name } }));
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    const answers: Record<string, unknown> = {};
    for (const name of commands) {
      const members = model.commands.get(name)?.arguments.members ?? [];
      const needed = members.filter(({ optional }) => !optional).map((member) => member.name);
      const sent = Object.fromEntries(needed.map((member) => [member, samples[member]]));
      const answer = await runOnAgent(gateway, name, JSON.stringify(sent));
      answers[name] = answer.status === 200 ? answer.json() : [answer.status, answer.text];
    }
    const expected = commands.map((name) => [
      name,
      isOurs(name) ? [501, expect.any(String)] : name === 'guest-info' ? expect.any(Object) : { did: name },
    ]);
    expect(answers).toEqual(Object.fromEntries(expected as [string, unknown][]));
  });

  it('is what it has enabled, by name, with all that is known of each', async () => {
    const gateway = await realAgent(undefined, ['-b', 'guest-get-users']);
    const agent = (await exchange(gateway, '/v1/vms/web/agent')).json();
    expect(agent).toMatchObject({ state: 'ready', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    const info = (await exchange(gateway, '/v1/vms/web/agent/guest-info')).json();
    const listed = info['supported_commands'] as { name: string; enabled: boolean }[];
    const enabled = listed.filter((command) => command.enabled).map(({ name }) => name);
    expect(names(agent).sort()).toEqual(enabled.sort());
    expect(enabled).not.toContain('guest-get-users');
    const answer = await exchange(gateway, '/v1/vms/web/agent/openapi.json');
    const document = answer.json() as { paths: Record<string, { post: Record<string, unknown> }>; servers: unknown };
    expect(Object.keys(document.paths).sort()).toEqual(enabled.map((name) => `/agent/${name}`).sort());
    expect(document.servers).toEqual([{ url: '/v1/vms/web' }]);
    expect(document.paths['/agent/guest-exec']?.post).toMatchObject({ 'x-qapi-class': 'host', tags: ['guest-agent'] });
    const headers = { 'If-None-Match': String(answer.headers['etag']) };
    expect((await exchange(gateway, '/v1/vms/web/agent/openapi.json', { headers })).status).toBe(304);
    const reader = { Authorization: `Bearer ${makeToken(gateway, { level: 'read', vms: ['*'] })}` };
    expect((await exchange(gateway, '/v1/vms/web/agent', { headers: reader })).json()).toEqual(agent);
    expect((await exchange(gateway, '/v1/vms/web/agent', { method: 'PUT', body: '{}' })).headers['allow']).toBe(
      'GET, HEAD, POST',
    );
  });

  it('is what it says: commands that no catalog knows with open arguments, for level host', async () => {
    const fake = await scene.fakeAgent(['guest-new', 'guest-ping'], '99.1.0');
    fake.on('guest-new', ({ arguments: args }) => ({ return: args })).on('guest-ping', () => ({ json: '{}' }));
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    const agent = (await exchange(gateway, '/v1/vms/web/agent')).json();
    expect(agent).toMatchObject({ version: '99.1.0' });
    expect(names(agent)).toEqual(['guest-info', 'guest-new', 'guest-ping']);
    expect((await runOnAgent(gateway, 'guest-new', '{"any":[1]}')).text).toBe('{"any":[1]}');
    // Newer than every catalog: it may take what none of them knows.
    expect((await runOnAgent(gateway, 'guest-ping', '{"loud":true}')).text).toBe('{}');
    const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'configure', vms: ['*'] })}` };
    expect((await runOnAgent(gateway, 'guest-new', '{}', headers)).status).toBe(403);
  });

  it('is nothing before it was there, and no reason to fail', async () => {
    const gateway = await scene.registerAgents(shared, { web: path.join(scene.directory(), 'nobody') });
    await agentBecomes(gateway, 'web', 'waiting');
    expect((await exchange(gateway, '/v1/vms/web/agent')).json()).toMatchObject({
      ...{ state: 'waiting', epoch: null, version: null, schema: null, commands: [] },
    });
    expect((await exchange(gateway, '/v1/vms/web/agent/openapi.json')).status).toBe(503);
  });

  it('may be nonsense, as it is made by a guest', async () => {
    const fake = await scene.fakeAgent([]);
    fake.on('guest-info', () => ({
      json: '{"version":"1\\n2","supported_commands":[null,7,{"name":[],"enabled":true}]}',
    }));
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    const vm = await agentBecomes(gateway, 'web', 'waiting');
    expect(vm['agent']).toMatchObject({ lastError: { code: 'prepare-failed' } });
  });
});

describe('an agent that does not answer', () => {
  it('costs only its callers, and its late reply is taken for that of no other command', async () => {
    const directory = scene.directory();
    const agent = await scene.guestAgent(directory);
    const elsewhere = scene.directory();
    await scene.guestAgent(elsewhere);
    const sockets = { web: path.join(directory, 'qga'), other: path.join(elsewhere, 'qga') };
    const gateway = await scene.registerAgents(shared, sockets);
    await agentBecomes(gateway, 'web', 'ready');
    await agentBecomes(gateway, 'other', 'ready');
    await gateway.vmBecomes('web', 'ready');
    agent.kill('SIGSTOP');
    const late = await runOnAgent(gateway, 'guest-get-host-name', undefined, { 'Request-Timeout': '200ms' });
    expect(problemOf(late)).toMatchObject({
      status: 504,
      code: 'deadline-exceeded',
      outcome: 'unknown',
      operation: expect.any(String),
    });
    // Not sent, as the agent may still answer the one before.
    const waiting = await runOnAgent(gateway, 'guest-get-timezone', undefined, { 'Request-Timeout': '200ms' });
    expect(problemOf(waiting)).toMatchObject({ code: 'deadline-exceeded', outcome: 'not-sent', retryable: true });
    expect((await run(gateway, 'web', 'query-status')).status).toBe(200);
    expect((await exchange(gateway, '/v1/vms/other/agent/guest-ping')).status).toBe(200);
    await agentBecomes(gateway, 'web', 'silent');
    expect(problemOf(await runOnAgent(gateway, 'guest-ping'))).toMatchObject({ code: 'vm-unavailable' });
    agent.kill('SIGCONT');
    await agentBecomes(gateway, 'web', 'ready');
    expect((await runOnAgent(gateway, 'guest-ping')).text).toBe('{}');
    const operation = (await exchange(gateway, String(late.json()['operation']))).json();
    expect(operation).toMatchObject({ state: 'done', return: { 'host-name': expect.any(String) } });
  });

  it('was never there: callers are told at once, and other VMs and the monitor know nothing of it', async () => {
    const mute = await scene.fake({ connected: () => undefined });
    mute.on('guest-sync-delimited', () => null);
    const directory = scene.directory();
    await scene.guestAgent(directory);
    const gateway = await scene.registerAgents(shared, { web: socketOf(mute), other: path.join(directory, 'qga') });
    await agentBecomes(gateway, 'web', 'silent');
    await agentBecomes(gateway, 'other', 'ready');
    const calls = await Promise.all(Array.from({ length: 20 }, () => runOnAgent(gateway, 'guest-ping')));
    for (const call of calls)
      expect(problemOf(call)).toMatchObject({ status: 503, code: 'vm-unavailable', outcome: 'not-sent' });
    expect((await exchange(gateway, '/v1/vms/other/agent/guest-ping')).status).toBe(200);
    expect((await run(gateway, 'web', 'query-status')).status).toBe(200);
    expect(await gateway.vmBecomes('web', 'ready')).toMatchObject({ health: 'ok' });
  });

  it('lost the command when it was started anew: its operation is lost, and the next one runs', async () => {
    const fake = await scene.fakeAgent(['guest-fstrim', 'guest-ping']);
    fake.on('guest-fstrim', () => null).on('guest-ping', () => ({ json: '{"mine": 1}' }));
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    const trim = await runOnAgent(gateway, 'guest-fstrim', undefined, { 'Request-Timeout': '50ms' });
    expect((await runOnAgent(gateway, 'guest-ping')).text).toBe('{"mine": 1}');
    const operation = (await exchange(gateway, String(trim.json()['operation']))).json();
    expect(operation).toMatchObject({ state: 'lost', problem: { code: 'outcome-unknown' } });
  });

  it('went with its connection: what it had is unknown, and a new session follows', async () => {
    const fake = await scene.fakeAgent(['guest-fstrim', 'guest-ping']);
    fake
      .on('guest-ping', () => ({ json: '{}' }))
      .on('guest-fstrim', ({ connection }) => {
        connection.close();
        return null;
      });
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    const epoch = (await runOnAgent(gateway, 'guest-ping')).headers['qmp-vm-epoch'];
    expect(problemOf(await runOnAgent(gateway, 'guest-fstrim'))).toMatchObject({ code: 'outcome-unknown' });
    await agentBecomes(gateway, 'web', 'ready');
    expect((await runOnAgent(gateway, 'guest-ping')).headers['qmp-vm-epoch']).not.toBe(epoch);
  });
});

describe('a command that is silent on success', () => {
  it('is done when the agent goes on, failed when it says so, and done when the guest is gone', async () => {
    const fake = await scene.fakeAgent(['guest-shutdown', 'guest-suspend-ram']);
    fake
      .on('guest-suspend-ram', () => null)
      .on('guest-shutdown', () => ({ error: { class: 'GenericError', desc: 'not today' } }));
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    const suspended = await runOnAgent(gateway, 'guest-suspend-ram');
    expect([suspended.status, suspended.text]).toEqual([200, '{}']);
    expect(problemOf(await runOnAgent(gateway, 'guest-shutdown'))).toMatchObject({
      ...{ code: 'command-failed', outcome: 'refused' },
      qmp: { desc: 'not today' },
    });
    fake
      .on('guest-sync-delimited', () => null)
      .on('guest-shutdown', ({ connection }) => {
        connection.close();
        return null;
      });
    const down = await runOnAgent(gateway, 'guest-shutdown');
    expect([down.status, down.text]).toEqual([200, '{}']);
  });

  it('is not known to be done while the guest sleeps, and is when it wakes', async () => {
    const fake = await scene.fakeAgent(['guest-suspend-ram']);
    fake.on('guest-suspend-ram', () => null);
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    fake.on('guest-sync-delimited', () => null);
    const behind = fake.next('guest-sync-delimited');
    const suspend = await runOnAgent(gateway, 'guest-suspend-ram', undefined, { 'Request-Timeout': '100ms' });
    expect(problemOf(suspend)).toMatchObject({ code: 'deadline-exceeded', outcome: 'unknown' });
    const fence = await behind;
    fake.answer(fence, syncAnswer(fence));
    const path = String(suspend.json()['operation']);
    let operation = (await exchange(gateway, path)).json();
    while (operation['state'] === 'running') operation = (await exchange(gateway, path)).json();
    expect(operation).toMatchObject({ state: 'done', return: {} });
  });
});
