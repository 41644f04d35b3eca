import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway()));
afterAll(() => scene.end());

interface Row {
  readonly state: string;
  readonly since: string;
  readonly lastError: { readonly code: string; readonly time: string } | null;
}

/** All that was told of a VM so far, as `state` and `lastError.code`. */
async function told(vm: string): Promise<string[]> {
  const page = (await exchange(gateway, `/v1/vms/${vm}/events?event=vm-changed&after=oldest`)).json();
  const { events } = page as unknown as { events: { data: Row }[] };
  return events.map(({ data }) => `${data.state} ${data.lastError?.code ?? ''}`);
}

/** A socket whose server sends this and counts who comes. */
async function greeter(greeting: string): Promise<{ endpoint: string; contacts: (count: number) => Promise<void> }> {
  const socket = path.join(scene.directory(), 'socket');
  let contacts = 0;
  const server = createServer((peer) => {
    contacts++;
    peer.on('error', () => undefined).on('end', () => peer.destroy());
    scene.keep(peer, (made) => made.destroy());
    peer.write(greeting);
  }).listen(socket);
  await once(server, 'listening');
  scene.keep(server, (running) => running.close());
  return {
    endpoint: `unix:${socket}`,
    contacts: async (count) => {
      while (contacts < count) await once(server, 'connection');
    },
  };
}

describe('a VM that cannot be had', () => {
  it('where another protocol is spoken is dialled again and again, and told once', async () => {
    const { endpoint, contacts } = await greeter("QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) ");
    const vm = await registerVm(gateway, endpoint, { state: 'waiting' });
    await contacts(6);
    expect(await told(vm)).toEqual(['waiting ', 'connecting ', 'negotiating ', 'waiting wrong-protocol']);
    const row = (await exchange(gateway, `/v1/vms/${vm}`)).json() as unknown as Row;
    expect(row).toMatchObject({ state: 'waiting', retryAt: expect.any(String) as string });
    expect(row.lastError?.time).toBe(row.since);
    // Also while it is being dialled, callers are answered at once.
    const refusal = await run(gateway, vm, 'query-status');
    expect(problemOf(refusal)).toMatchObject({ status: 503, code: 'vm-unavailable' });
  });

  it('whose monitor another client holds is told once, and again when it is let go', async () => {
    const qemu = await scene.qemu();
    const holder = scene.keep(await RawQmpClient.connect(qemu.socket), (client) => client.close());
    const vm = await registerVm(gateway, `unix:${qemu.socket}`, { state: 'busy' });
    const refusal = await run(gateway, vm, 'stop');
    expect(problemOf(refusal)).toMatchObject({ status: 503, code: 'vm-unavailable' });
    // It comes when the VM is ready, however often that has to be tried.
    const arrival = exchange(gateway, `/v1/vms/${vm}?wait=30s`);
    holder.close();
    expect((await arrival).json()).toMatchObject({ state: 'ready', lastError: { code: 'no-greeting' } });
    const states = await told(vm);
    expect(states).toEqual(['waiting ', 'connecting ', 'negotiating ', 'busy no-greeting', 'ready no-greeting']);
  });
});
