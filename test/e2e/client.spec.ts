import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { GatewayClient, GatewayProblem, GatewayUnreachable, type GatewayEvent } from '@qmp-gateway/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let client: GatewayClient;
let vm: string;

beforeAll(async () => {
  // Reached through other ports too.
  gateway = await scene.gateway({ settings: { listen: ['127.0.0.1:0'], allowedHosts: ['127.0.0.1'] } });
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`, { labels: { tenant: 'x' } });
  client = clientAt(gateway.url);
});
afterAll(() => scene.end());

function clientAt(url: string, token = gateway.token): GatewayClient {
  return new GatewayClient({ url, token, WebSocket });
}

/** A port that leads to the gateway until it is cut. */
interface Wire {
  readonly url: string;
  /** Connections so far. */
  readonly accepted: () => number;
  /** Ends all connections; new ones are taken. */
  readonly cut: () => void;
}

async function wireTo(url: string): Promise<Wire> {
  const { port, hostname } = new URL(url);
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((near) => {
    accepted++;
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  scene.keep(server, () => {
    cut();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, accepted: () => accepted, cut };
}

async function makeToken(): Promise<{ id: string; token: string }> {
  const body = JSON.stringify({ name: 'client', level: 'read', vms: [vm] });
  const headers = { 'Content-Type': 'application/json' };
  const answer = await gateway.fetch('/v1/tokens', { method: 'POST', headers, body });
  return (await answer.json()) as { id: string; token: string };
}

async function nextOf(stream: AsyncGenerator<GatewayEvent, void, undefined>): Promise<GatewayEvent> {
  const { value } = await stream.next();
  if (value === undefined) throw new Error('the stream has ended');
  return value;
}

describe('commands', () => {
  it('queries, with typed answers', async () => {
    const { status, running } = await client.vm(vm).query('query-status');
    expect({ status, running }).toEqual({ status: 'prelaunch', running: false });
    const types = await client.vm(vm).query('qom-list-types', { implements: 'iothread', abstract: false });
    expect(types.map(({ name }) => name)).toContain('iothread');
    const { qemu } = await client.vm(vm).query('query-version');
    expect(qemu.major).toBeTypeOf('bigint');
  });

  it('carries 64-bit integers there and back', async () => {
    const largest = 9223372036854775807n;
    const id = 'io-wide';
    await client.vm(vm).execute('object-add', { 'qom-type': 'iothread', id, 'poll-max-ns': largest, 'poll-grow': 2 });
    const threads = await client.vm(vm).query('query-iothreads');
    expect(threads.find((each) => each.id === id)).toMatchObject({ 'poll-max-ns': largest, 'poll-grow': 2n });
    // `qom-get` returns anything: what a number can hold is one.
    const thread = { path: `/objects/${id}` };
    expect(await client.vm(vm).query('qom-get', { ...thread, property: 'poll-max-ns' })).toBe(largest);
    expect(await client.vm(vm).query('qom-get', { ...thread, property: 'poll-grow' })).toBe(2);
    await client.vm(vm).execute('qom-set', { ...thread, property: 'poll-max-ns', value: largest - 1n });
    expect(await client.vm(vm).query('qom-get', { ...thread, property: 'poll-max-ns' })).toBe(largest - 1n);
  });

  it('does once what has one idempotency key, and says so', async () => {
    const args = { 'qom-type': 'iothread', id: 'io-once' } as const;
    const first = await client.vm(vm).executeInFull('object-add', args, { idempotencyKey: 'once' });
    const second = await client.vm(vm).executeInFull('object-add', args, { idempotencyKey: 'once' });
    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(await client.vm(vm).operation(first.operation ?? '')).toMatchObject({
      command: 'object-add',
      state: 'done',
    });
  });

  it('starts what takes long, follows it and cancels it', async () => {
    const own = client.vm(vm);
    for (const name of ['from', 'to'])
      await own.execute('blockdev-add', { driver: 'null-co', 'node-name': name, size: 2 ** 28, 'read-zeroes': true });
    const copy = { 'job-id': 'copy', device: 'from', target: 'to', sync: 'full', speed: 2 ** 20 } as const;
    const { id } = await own.start('blockdev-mirror', copy);
    const { operations } = await client.operations({ vm, state: 'running' });
    expect(operations).toMatchObject([{ id, command: 'blockdev-mirror' }]);
    expect(await own.operation(id)).toMatchObject({ state: 'running', progress: { total: 2 ** 28, unit: 'bytes' } });
    await own.cancel(id);
    expect(await own.operation(id, { wait: '30s' })).toMatchObject({ state: 'cancelled', job: { type: 'mirror' } });
    await expect(own.cancel(id)).rejects.toMatchObject({ code: 'method-not-allowed' });
  });

  it('tells what a dry run would send, and sends nothing', async () => {
    const args = { 'qom-type': 'iothread', id: 'io-dry', 'poll-max-ns': 2n ** 62n } as const;
    expect(await client.vm(vm).execute('object-add', args, { dryRun: true })).toEqual({
      wouldSend: { execute: 'object-add', arguments: args },
      class: 'configure',
    });
    const threads = await client.vm(vm).query('query-iothreads');
    expect(threads.map(({ id }) => id)).not.toContain('io-dry');
  });

  it('asks many VMs at once', async () => {
    const lines = [];
    for await (const line of client.fanOut('query-status', {}, { label: { tenant: 'x' } })) lines.push(line);
    expect(lines).toMatchObject([{ vm, status: 200, return: { status: 'prelaunch' } }]);
  });

  it('lists VMs and shows one', async () => {
    const { vms } = await client.vms({ label: { tenant: 'x' } });
    expect(vms).toMatchObject([{ id: vm, state: 'ready', kind: 'qemu' }]);
    expect(await client.vm(vm).get({ wait: 5 })).toMatchObject({ id: vm, labels: { tenant: 'x' } });
    expect((await client.vms({ vm: 'no-such-*' })).vms).toEqual([]);
  });

  it('registers VMs and forgets them', async () => {
    const other = client.vm('registered');
    await other.register({ endpoint: 'unix:/nonexistent/qmp', labels: { a: 'b' } }, { create: true });
    await expect(other.register({ endpoint: 'unix:/nonexistent/qmp' }, { create: true })).rejects.toMatchObject({
      code: 'vm-exists',
    });
    await other.forget();
    await expect(other.get()).rejects.toMatchObject({ code: 'vm-not-found' });
  });
});

describe('problems', () => {
  it('tells what the VM refused', async () => {
    const failure = client.vm(vm).execute('object-del', { id: 'no-such-object' });
    await expect(failure).rejects.toBeInstanceOf(GatewayProblem);
    await expect(failure).rejects.toMatchObject({
      code: 'command-failed',
      status: 422,
      outcome: 'refused',
      retryable: false,
      vm,
      command: 'object-del',
      qmp: { class: 'GenericError' },
    });
  });

  it('tells all that is wrong with arguments', async () => {
    const failure = client.vm(vm).execute('object-add' as string, { 'qom-type': 'iothread', idd: 'a' });
    await expect(failure).rejects.toMatchObject({
      code: 'invalid-arguments',
      outcome: 'not-sent',
      errors: expect.arrayContaining([expect.objectContaining({ pointer: '/idd' })]) as unknown,
    });
    await expect(client.vm(vm).execute('no-such-command')).rejects.toMatchObject({ code: 'command-not-found' });
    const stale = client.vm(vm).execute('stop', undefined, { epoch: 'other.1' });
    await expect(stale).rejects.toMatchObject({ code: 'epoch-changed' });
  });

  it('tells when there is nobody', async () => {
    const { url } = await wireTo('http://127.0.0.1:1');
    await expect(clientAt(url).vms()).rejects.toBeInstanceOf(GatewayUnreachable);
  });
});

describe.each(['sse', 'websocket'] as const)('events over %s', (transport) => {
  it('come in order, the selected ones, from the position given', async () => {
    const { cursor } = await client.vms();
    const options = { transport, vm, event: ['STOP', 'RESUME'], after: cursor } as const;
    await client.vm(vm).execute('cont');
    await client.vm(vm).execute('stop');
    const names: string[] = [];
    for await (const event of client.events(options)) {
      names.push(event.event);
      if (names.length === 2) break;
    }
    expect(names).toEqual(['RESUME', 'STOP']);
  });

  it('go on after the last one when the connection is cut, nothing missing and nothing twice', async () => {
    const wire = await wireTo(gateway.url);
    const { cursor } = await client.vms();
    const options = { transport, event: ['STOP', 'RESUME'], after: cursor } as const;
    const stream = clientAt(wire.url).vm(vm).events(options);
    const seen: string[] = [];
    await client.vm(vm).execute('cont');
    seen.push((await nextOf(stream)).event);
    for (let cuts = 0; cuts < 3; cuts++) {
      wire.cut();
      // Both happen while there is no connection, or just before it is found to be gone.
      await client.vm(vm).execute('stop');
      await client.vm(vm).execute('cont');
      seen.push((await nextOf(stream)).event, (await nextOf(stream)).event);
    }
    await client.vm(vm).execute('stop');
    seen.push((await nextOf(stream)).event);
    await stream.return();
    expect(seen).toEqual(['RESUME', 'STOP', 'RESUME', 'STOP', 'RESUME', 'STOP', 'RESUME', 'STOP']);
    expect(wire.accepted()).toBeGreaterThanOrEqual(4);
  });

  it('have the integers of their types', async () => {
    const size = 1024 * 1024;
    const job = `job-${transport}`;
    const nodes = [`${job}-a`, `${job}-b`] as const;
    const { cursor } = await client.vms();
    for (const node of nodes) {
      const options = { driver: 'null-co', 'node-name': node, size, 'read-zeroes': true } as const;
      await client.vm(vm).execute('blockdev-add', options);
    }
    const [device, target] = nodes;
    await client.vm(vm).execute('blockdev-mirror', { 'job-id': job, device, target, sync: 'full' });
    const stream = client.events({ transport, vm, event: 'BLOCK_JOB_*', after: cursor });
    const event = await nextOf(stream);
    if (event.event !== 'BLOCK_JOB_READY') throw new Error(`unexpected ${event.event}`);
    expect(event.data).toMatchObject({ device: job, len: 1048576n, offset: 1048576n });
    await stream.return();
    await client.vm(vm).execute('block-job-cancel', { device: job });
  });

  it('tell a gap where history does not reach back', async () => {
    const stream = client.events({ transport, vm, event: 'STOP', after: 'otherrun.7' });
    const event = await nextOf(stream);
    expect(event).toMatchObject({ event: 'gap', data: { vm: null, from: 'otherrun.7', missed: null } });
    await stream.return();
  });

  it('are refused without credentials, and end when these are taken away', async () => {
    await expect(clientAt(gateway.url, 'qmpgw_no_token').events({ transport }).next()).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    const { id, token } = await makeToken();
    const wire = await wireTo(gateway.url);
    const stream = clientAt(wire.url, token).events({ transport, event: 'STOP', after: (await client.vms()).cursor });
    await client.vm(vm).execute('cont');
    await client.vm(vm).execute('stop');
    await nextOf(stream);
    expect((await gateway.fetch(`/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
    wire.cut();
    await expect(stream.next()).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('are refused for a filter that is none', async () => {
    await expect(client.events({ transport, event: 'a b' }).next()).rejects.toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/event' }],
    });
  });

  it("end with the caller's reason", async () => {
    const stop = new AbortController();
    const next = client.events({ transport, event: 'NO_SUCH_EVENT', signal: stop.signal }).next();
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(next).rejects.toBe(reason);
  });
});
