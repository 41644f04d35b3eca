import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Answers, in all and a second, and the time of each in microseconds, the shortest first. */
export interface LoadResult {
  readonly answers: number;
  readonly perSecond: number;
  readonly microseconds: Float64Array;
}

/** A port of 127.0.0.1, or the path of a unix socket. */
export type Address = number | string;

/** Connects without delay of small writes. */
export async function dial(address: Address): Promise<Socket> {
  const socket =
    typeof address === 'string' ? connect(address) : connect({ port: address, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/**
 * Closed-loop load: each connection sends the next request when it has the last answer.
 *
 * @param reader makes what is told each chunk of one connection and says whether the answer is whole; it throws if it is
 *   not the expected one
 */
export async function closedLoop(
  sockets: readonly Socket[],
  request: string,
  reader: () => (chunk: Buffer) => boolean,
  milliseconds: number,
): Promise<LoadResult> {
  const times: number[] = [];
  const started = performance.now();
  const until = started + milliseconds;
  await Promise.all(sockets.map((socket) => loop(socket, request, reader(), { until, times })));
  const elapsed = performance.now() - started;
  for (const socket of sockets) socket.destroy();
  return resultOf(times.length, elapsed, times);
}

/** The result of so many answers in so many milliseconds. */
export function resultOf(answers: number, milliseconds: number, times: readonly number[]): LoadResult {
  return { answers, perSecond: (answers / milliseconds) * 1000, microseconds: Float64Array.from(times).sort() };
}

function loop(
  socket: Socket,
  request: string,
  isWhole: (chunk: Buffer) => boolean,
  { until, times }: { until: number; times: number[] },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    const send = () => {
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('data', (chunk: Buffer) => {
      try {
        if (!isWhole(chunk)) return;
      } catch (error) {
        reject(error);
        return;
      }
      const now = performance.now();
      times.push((now - sentAt) * 1000);
      if (now < until) send();
      else resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
    send();
  });
}
