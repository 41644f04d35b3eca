import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';

export interface SocketFileOptions {
  /** Permission bits; 0600 by default. */
  readonly mode?: number;
  readonly gid?: number;
  /** How errors name it; the path itself by default. */
  readonly shown?: string;
  /** Asked when the name is free; false when nobody wants the socket any more, which is then not made. */
  readonly isWanted?: () => boolean;
}

/**
 * Listens on a unix socket. A socket file that a killed server left behind is replaced; one that anybody serves, however
 * busy, is not touched, nor is a file of another kind.
 * @throws Error with code `EADDRINUSE` when somebody serves it, `EEXIST` when it is no socket
 */
export async function listenOnSocketFile(
  server: Server,
  path: string,
  { mode = 0o600, gid, shown = path, isWanted }: SocketFileOptions = {},
): Promise<void> {
  await removeStaleSocket(path, shown);
  if (isWanted?.() === false) return;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket must never be open to all, not even between listen and chmod.
    const umask = process.umask(0o177);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
    process.umask(umask);
  });
  if (gid !== undefined) chownSync(path, -1, gid);
  chmodSync(path, mode);
}

/** @throws Error as {@link listenOnSocketFile} does */
async function removeStaleSocket(path: string, shown: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return;
  if (!before.isSocket()) throw taken('EEXIST', `${shown} is there already, and no socket`);
  const answer = await probe(path);
  if (answer === 'ENOENT') return;
  // Nothing else means that nobody listens: a server with a full backlog answers EAGAIN, one of another type EPROTOTYPE.
  if (answer !== 'ECONNREFUSED') throw taken('EADDRINUSE', `${shown} is in use`);
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now?.ino !== before.ino || now.dev !== before.dev) throw taken('EADDRINUSE', `${shown} is in use`);
  unlinkSync(path);
}

function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
  });
}

function taken(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
