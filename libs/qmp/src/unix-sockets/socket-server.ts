import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';

export interface SocketFileOptions {
  /** Permission bits; 0600 by default. */
  readonly mode?: number;
  readonly gid?: number;
  /** Its name in errors; by default the path itself. */
  readonly shown?: string;
  /** Called when the name is free; returns false if the socket is no longer wanted, which is then not created. */
  readonly isWanted?: () => boolean;
}

/**
 * Listens on a unix socket. Replaces a socket file that a killed server left; does not touch one with a server, however
 * busy, or a file of another kind.
 * @throws Error with code `EADDRINUSE` if a server uses it, `EEXIST` if it is not a socket
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
    // The socket must never be open to everybody, not even between listen and chmod.
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

/** @throws Error like {@link listenOnSocketFile} */
async function removeStaleSocket(path: string, shown: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return;
  if (!before.isSocket()) throw taken('EEXIST', `${shown} is there already, and no socket`);
  const answer = await probe(path);
  if (answer === 'ENOENT') return;
  // Only this code means that nobody listens: a server with a full backlog gives EAGAIN, one of another type
  // EPROTOTYPE.
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
