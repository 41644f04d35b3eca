/** Many clients of a display that never rests. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { greet, vmWithDisplay } from '../e2e/fake-display.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { RfbClient } from '../e2e/rfb-client.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await scene.gateway();
}, 60_000);
afterAll(() => scene.end());

const viewers = 50;
const mebibyte = 2 ** 20;
const screen = Buffer.alloc(mebibyte, 7);
/** What one of them may hold in the gateway and in the kernel, generously. */
const mostOfOne = 4 * mebibyte;

function residentBytes(): number {
  const status = readFileSync(`/proc/${gateway.process.pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** Writes for ever, as fast as it is read. */
function flood(socket: Socket): Socket {
  const more = (): void => {
    while (socket.writable && socket.write(screen));
  };
  socket.on('drain', more);
  more();
  return socket;
}

it('50 who never read take a bounded part of memory, and others get their answers', async () => {
  const floods: Socket[] = [];
  const vm = await vmWithDisplay(scene, gateway, (socket) => greet(socket, () => floods.push(flood(socket))));
  const before = residentBytes();
  const clients = Array.from({ length: viewers }, () => new RfbClient(gateway, vm, { query: '?view=true' }));
  for (const client of clients) scene.keep(client, ({ socket }) => socket.terminate());
  await Promise.all(clients.map((client) => client.handshake()));
  for (const { socket } of clients) socket.pause();
  // Nobody reads: what the display could write stands still.
  const total = () => floods.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  let last = -1;
  await expect
    .poll(
      () => {
        const [now, then] = [total(), last];
        last = now;
        return now - then;
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBe(0);
  expect(floods).toHaveLength(viewers);
  expect(residentBytes() - before).toBeLessThan(viewers * mostOfOne);
  expect((await exchange(gateway, `/v1/vms/${vm}`)).status).toBe(200);
  expect((await exchange(gateway, `/v1/vms/${vm}/displays`)).json()).toMatchObject({ displays: [{ viewers }] });
  const [first] = clients;
  first?.socket.resume();
  const seen = first?.bytes ?? 0;
  await expect.poll(() => first?.bytes ?? 0, { timeout: 30_000 }).toBeGreaterThan(seen + 20 * mebibyte);
}, 180_000);
