import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../problems/problem.js';

/** The body of a request in the parts it comes in. */
export type BodyParts = AsyncGenerator<Buffer, void, undefined>;

/** A sender that sends nothing for so long has gone; milliseconds. */
const silenceMs = 30_000;

/** Connections whose request has no time limit as a whole: a large file takes as long as it takes. */
const unhurried = new WeakSet<Duplex>();

/** True when the time limit of whole requests is not for this connection now. */
export function isUnhurried(socket: Duplex): boolean {
  return unhurried.has(socket);
}

/** As JSON bodies have a type that no page of another origin can send unasked, files have one too. */
export function fileTypeProblem({ headers }: IncomingMessage): Problem | undefined {
  const { 'content-type': type, 'content-encoding': encoding } = headers;
  if (type?.split(';', 1)[0]?.trim().toLowerCase() === 'application/octet-stream' && encoding === undefined)
    return undefined;
  return new Problem(
    'unsupported-media-type',
    'A file needs Content-Type: application/octet-stream, and no Content-Encoding. With curl: curl -T FILE -H "Content-Type: application/octet-stream" URL',
  );
}

/**
 * Lends the body of a request to its user, as it comes and no faster than it is used. From where the user stops, maybe
 * before the first byte, the rest is thrown away, and its sender has no more time than others.
 *
 * @returns what the user makes of it; reading throws Problem `invalid-request` when the sender falls silent, or leaves
 */
export async function useBody<T>(request: IncomingMessage, use: (parts: BodyParts) => Promise<T>): Promise<T> {
  const { socket } = request;
  unhurried.add(socket);
  try {
    return await use(partsOf(request));
  } finally {
    unhurried.delete(socket);
    if (!request.complete && !request.destroyed) discard(request);
  }
}

async function* partsOf(request: IncomingMessage): BodyParts {
  const parts = request[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const part = await inTime(parts.next());
      if (part.done === true) return;
      yield part.value;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('invalid-request', 'The sender broke off.');
  }
}

/** Most clients read the answer only when they have sent everything. */
function discard(request: IncomingMessage): void {
  const patience = setTimeout(() => request.socket.destroy(), silenceMs);
  request.once('close', () => clearTimeout(patience));
  request.resume();
}

async function inTime<T>(next: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    const problem = new Problem('invalid-request', `The sender sent nothing for ${silenceMs / 1000} s.`, {
      headers: { Connection: 'close' },
    });
    timer = setTimeout(() => reject(problem), silenceMs);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}
