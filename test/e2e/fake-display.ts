import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { scriptedVm } from './documented-answers/scripted-servers.js';
import { registerVm, type GatewayScene } from './gateway-scene.js';
import type { GatewayProcess } from './gateway-process.js';

/** A VM whose display is a server of the test. @returns its id */
export async function vmWithDisplay(
  scene: GatewayScene,
  gateway: GatewayProcess,
  serve: (socket: Socket) => void,
): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    scene.keep(socket, () => socket.destroy());
    serve(socket);
  });
  scene.keep(server, () => server.close());
  const service = path.join(scene.directory(), 'vnc');
  server.listen(service);
  await once(server, 'listening');
  const scripted = await scriptedVm(scene);
  const address = { family: 'unix', host: '', service, websocket: false, auth: 'none' };
  scripted.monitor.on('query-vnc-servers', () => ({
    return: [{ id: 'default', auth: 'none', clients: [], server: [address] }],
  }));
  return registerVm(gateway, scripted.endpoint);
}

/** What a server of RFB says in its handshake, one piece for each of the client's. */
const hello = [Buffer.of(1, 1), Buffer.alloc(4), Buffer.concat([Buffer.of(2, 128, 1, 224), Buffer.alloc(20)])];

/** Shakes hands, then calls back. */
export function greet(socket: Socket, ready: () => void): void {
  const steps = [...hello];
  socket.write('RFB 003.008\n');
  socket.on('data', () => {
    const step = steps.shift();
    if (step === undefined) return;
    socket.write(step);
    if (steps.length === 0) ready();
  });
}
