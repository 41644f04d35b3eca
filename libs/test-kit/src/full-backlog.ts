import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Listens at its argument, reports that, and then accepts nobody; ends after a minute at the latest. */
const server = `
  require('node:net').createServer().listen({ path: process.argv[1], backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  });
`;
/** A backlog of one holds two or three connections. */
const mostConnections = 16;

/** A running server that is too busy to accept: its socket's backlog is full. */
export interface FullBacklog {
  stop(): Promise<void>;
}

/** @param path of its socket */
export async function fullBacklog(path: string): Promise<FullBacklog> {
  const child = spawn(process.execPath, ['-e', server, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const waiting: Socket[] = [];
  const stop = async (): Promise<void> => {
    for (const socket of waiting) socket.destroy();
    child.kill('SIGKILL');
    await ended;
  };
  for (let count = 0; count < mostConnections; count++) {
    const socket = connect(path);
    waiting.push(socket);
    const code = await new Promise<string | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    });
    if (code === 'EAGAIN') return { stop };
  }
  await stop();
  throw new Error(`${path} takes more than ${mostConnections} connections`);
}
