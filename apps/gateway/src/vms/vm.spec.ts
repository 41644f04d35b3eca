import { once } from 'node:events';
import { linkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { SchemaStore } from '../schemas/schema-store.js';
import { Epochs } from './epochs.js';
import { VmNews } from './vm-news.js';
import { renderView } from './vm-view.js';
import { Vm, type VmSurroundings } from './vm.js';

const scene = new Scene();
afterEach(() => scene.end());

/** A socket whose server greets like this, or not at all. */
async function greeter(greet: (server: Server) => void): Promise<string> {
  const socket = path.join(scene.directory(), 'socket');
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    scene.keep(connection, (peer) => peer.destroy());
  });
  greet(server);
  server.listen(socket);
  await once(server, 'listening');
  scene.keep(server, (running) => running.close());
  return socket;
}

/** A file bound and left: its server is gone without unlinking it. */
async function staleSocket(): Promise<string> {
  const socket = path.join(scene.directory(), 'socket');
  const server = createServer().listen(socket);
  await once(server, 'listening');
  linkSync(socket, `${socket}.kept`);
  server.close();
  await once(server, 'close');
  return `${socket}.kept`;
}

/** A VM at this socket, dialled so often. @returns what it told each time, `state` and `lastError.code` */
async function dial(socket: string, times: number, isMute = false): Promise<{ vm: Vm; told: string[]; dials: number }> {
  const clock = new ManualClock();
  const told: string[] = [];
  let dials = 0;
  const news = new VmNews();
  news.register({
    changed: (vm) => {
      const { full } = renderView(vm);
      const { state, lastError } = JSON.parse(full) as { state: string; lastError: { code: string } | null };
      told.push(`${state} ${lastError?.code ?? ''}`);
    },
    failed: (_, error) => {
      throw error;
    },
  });
  const surroundings: VmSurroundings = {
    observer: news,
    schemas: {} as SchemaStore,
    monitorOptions: { clock, random: () => 1 },
    tls: new Map(),
    limits: { queue: 10 },
    epochs: new Epochs('e'),
  };
  const vm = new Vm(
    'vm',
    { definition: { endpoint: `unix:${socket}`, kind: 'auto', labels: {} }, source: 'settings' },
    surroundings,
  );
  scene.keep(vm, (made) => made.stop());
  vm.start();
  while (dials < times) {
    while (!('lastError' in vm.monitor.state)) {
      await new Promise<void>((resolve) => {
        vm.onceChanged(resolve);
        // Whoever gives no greeting is given up by the clock.
        if (isMute && vm.monitor.state.name === 'negotiating') setImmediate(() => clock.advance(5000));
      });
    }
    dials++;
    if (dials < times) clock.advance(5000);
  }
  return { vm, told, dials };
}

describe('a VM that cannot be had', () => {
  it.each([
    ['nobody listens', staleSocket, 'waiting refused', ['connecting ']],
    ['nobody greets', () => greeter(() => undefined), 'busy no-greeting', ['connecting ', 'negotiating ']],
    [
      'another protocol is spoken',
      () =>
        greeter((server) =>
          server.on('connection', (peer) => peer.write("QEMU 7.2.22 monitor - type 'help' for more information\r\n")),
        ),
      'waiting wrong-protocol',
      ['connecting ', 'negotiating '],
    ],
    [
      'the connection is closed',
      () => greeter((server) => server.on('connection', (peer) => peer.end())),
      'waiting closed-before-greeting',
      ['connecting ', 'negotiating '],
    ],
  ])('where %s is told once, however often it is dialled', async (_, listen, reason, before) => {
    const { vm, told, dials } = await dial(await listen(), 8, reason === 'busy no-greeting');
    expect([dials, told]).toEqual([8, [...before, reason]]);
    expect(vm.arriving).toBe(false);
    expect(vm.since).toBe(vm.lastError?.time);
  });

  it('is not waited for while it is dialled again', async () => {
    const { vm } = await dial(await staleSocket(), 1);
    const row = renderView(vm).full;
    vm.stateChanged({ name: 'connecting', since: vm.retryAt ?? 0 });
    expect([vm.arriving, vm.condition, renderView(vm).full]).toEqual([false, 'The VM is waiting.', row]);
  });
});
