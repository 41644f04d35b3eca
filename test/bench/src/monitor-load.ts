import type { Socket } from 'node:net';
import { closedLoop, dial, type LoadResult } from './closed-loop.js';

/** Each client of a monitor sends the next message when it has the reply to the last one. Replies are counted, not read. */
export async function monitorLoad(
  socketPath: string,
  message: string,
  { clients, milliseconds }: { clients: number; milliseconds: number },
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: clients }, () => negotiated(socketPath)));
  return closedLoop(sockets, message, () => isWholeLine, milliseconds);
}

async function negotiated(socketPath: string): Promise<Socket> {
  const socket = await dial(socketPath);
  await nextLine(socket);
  socket.write('{"execute":"qmp_capabilities"}');
  await nextLine(socket);
  return socket;
}

function nextLine(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      if (!isWholeLine(chunk)) return;
      socket.off('data', onData).off('error', reject);
      resolve();
    };
    socket.on('data', onData).once('error', reject);
  });
}

function isWholeLine(chunk: Buffer): boolean {
  return chunk.at(-1) === 10;
}
