import { connect, type Socket } from 'node:net';

/** Requests a second, and each request's time in microseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly microseconds: Float64Array;
}

/**
 * Closed-loop load: each connection sends the next request when it has the last answer. Bytes are compared, not parsed:
 * all answers to one request have the same length of body, announced by Content-Length.
 */
export async function httpLoad(
  port: number,
  request: string,
  options: { connections: number; milliseconds: number },
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => open(port)));
  const times: number[] = [];
  const started = performance.now();
  const until = started + options.milliseconds;
  await Promise.all(sockets.map((socket) => loop(socket, request, until, times)));
  const elapsed = performance.now() - started;
  for (const socket of sockets) socket.destroy();
  return { perSecond: (times.length / elapsed) * 1000, microseconds: Float64Array.from(times).sort() };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function loop(socket: Socket, request: string, until: number, times: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let missing = 0;
    let head = '';
    const send = () => {
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('data', (chunk) => {
      if (missing === 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 200')) {
          reject(new Error(`unexpected answer: ${head.slice(0, 500)}`));
          return;
        }
        missing = Number(/content-length: (\d+)/i.exec(head)?.[1]) - (head.length - end - 4);
        head = '';
      } else missing -= chunk.length;
      if (missing > 0) return;
      const now = performance.now();
      times.push((now - sentAt) * 1000);
      if (now < until) send();
      else resolve();
    });
    socket.once('close', () => reject(new Error('the server closed the connection')));
    send();
  });
}
