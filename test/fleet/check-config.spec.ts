import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { NatsServers, Scene } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));
const scene = new Scene();
let nats: NatsServers;

/** @returns the exit status, and what was said */
async function check(server: string): Promise<{ status: number; said: string }> {
  const args = ['--state', scene.directory(), '--fleet-name', 'prod', '--fleet-server', server];
  const child = spawn(process.execPath, [launcher, 'check-config', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, faults, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status: status as number, said: said + faults };
}
async function streams(): Promise<string[]> {
  const connection = await connect({ servers: nats.urls });
  const names: string[] = [];
  for await (const name of (await jetstreamManager(connection)).streams.names()) names.push(name);
  await connection.close();
  return names;
}

beforeAll(async () => {
  nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
});
afterAll(() => scene.end());

describe('check-config of a node of a fleet', () => {
  it('tries NATS, and makes nothing there', async () => {
    expect(await check(nats.first.url)).toEqual({ status: 0, said: 'the settings are valid\n' });
    expect(await streams()).toEqual([]);
  });

  it('names what a stream lacks', async () => {
    const connection = await connect({ servers: nats.urls });
    await (await jetstreamManager(connection)).streams.add({ name: 'QGW_prod_EV', subjects: ['other'] });
    await connection.close();
    const { status, said } = await check(nats.first.url);
    expect(status).toBe(2);
    expect(said).toMatch(/fleet: subjects is \["other"\], not \["qgw\.prod\.1\.ev\.\*"\]/);
  });

  it('says that NATS is away', async () => {
    await nats.first.kill();
    const { status, said } = await check(nats.first.url);
    expect(status).toBe(2);
    expect(said).toMatch(/fleet\.servers: no connection with nats:/);
  });
});
