import { syncAnswer } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { agentBecomes, AgentScene, socketOf } from './agent-scene.js';
import { makeToken, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new AgentScene();

afterEach(() => scene.end());

describe('the guest agent of a VM', () => {
  it('is a second connection that comes and goes without touching the first', async () => {
    const directory = scene.directory();
    const qemu = await scene.qemu();
    const agent = `unix:${directory}/qga`;
    const gateway = await scene.gateway({ settings: { vms: { web: { endpoint: `unix:${qemu.socket}`, agent } } } });
    const before = await gateway.vmBecomes('web', 'ready');
    expect(await agentBecomes(gateway, 'web', 'waiting')).toMatchObject({
      ...{ state: 'ready', health: 'ok' },
      agent: { endpoint: agent, state: 'waiting', since: expect.any(String), lastError: { code: 'no-such-file' } },
    });

    const process = await scene.guestAgent(directory);
    await agentBecomes(gateway, 'web', 'ready');
    expect((await run(gateway, 'web', 'query-status')).status).toBe(200);
    process.kill('SIGKILL');
    const lost = await agentBecomes(gateway, 'web', 'waiting');
    expect(lost).toMatchObject({
      state: 'ready',
      health: 'ok',
      epoch: before['epoch'],
      lastError: before['lastError'],
    });
    expect(lost['agent']).toMatchObject({ lastError: { code: expect.stringMatching(/^(connection-|refused)/) } });
  });

  it('that nobody answers for is silent, told once however often it is dialled', async () => {
    const qemu = await scene.qemu();
    const mute = await scene.fake({ connected: () => undefined });
    mute.on('guest-sync-delimited', () => null);
    const gateway = await scene.gateway({
      settings: { vms: { web: { endpoint: `unix:${qemu.socket}`, agent: `unix:${socketOf(mute)}` } } },
    });
    await gateway.vmBecomes('web', 'ready');
    const silent = await agentBecomes(gateway, 'web', 'silent');
    expect(silent).toMatchObject({ state: 'ready', agent: { lastError: { code: 'agent-silent' } } });
    const dialledAgain = new Promise((resolve) => mute.on('guest-sync-delimited', () => (resolve(null), null)));
    const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    await dialledAgain;
    expect((await exchange(gateway, `/v1/vms/web/events?after=${cursor}`)).json()['events']).toEqual([]);
    const info = { version: '10.2.2', supported_commands: [] };
    mute.on('guest-sync-delimited', syncAnswer).on('guest-info', () => ({ return: info }));
    await agentBecomes(gateway, 'web', 'ready');
  });

  it('shows no host paths below configure, and is absent where there is none', async () => {
    const directory = scene.directory();
    const gateway = await scene.gateway();
    const put = (id: string, definition: object) =>
      exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body: JSON.stringify(definition) });
    await put('with', { endpoint: `unix:${directory}/a`, agent: `unix:${directory}/b` });
    await put('without', { endpoint: `unix:${directory}/a` });
    await agentBecomes(gateway, 'with', 'waiting');
    const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'read', vms: ['*'] })}` };
    const reduced = await exchange(gateway, '/v1/vms/with', { headers });
    expect(reduced.text).not.toContain(directory);
    const since = expect.any(String) as unknown;
    expect(reduced.json()['agent']).toEqual({
      ...{ state: 'waiting', since },
      lastError: { code: 'no-such-file', time: expect.any(String) },
    });
    expect((await exchange(gateway, '/v1/vms/without')).json()).not.toHaveProperty('agent');
  });
});
