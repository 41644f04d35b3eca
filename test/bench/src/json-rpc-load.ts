import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { dial, resultOf, type LoadResult } from './closed-loop.js';

/**
 * JSON-RPC over one WebSocket with `inFlight` requests at once. Frames are made and counted by hand, and what is due goes
 * out in one write, so that the client is not what is measured. Times are from a write to the next answers, so they are
 * those of requests with one in flight only.
 */
export async function jsonRpcLoad(
  port: number,
  token: string,
  options: { vm: string; command: string; inFlight: number; milliseconds: number },
): Promise<LoadResult> {
  const socket = await upgrade(port, token);
  const params = JSON.stringify({ vm: options.vm, command: options.command });
  let next = 0;
  let answers = 0;
  const times: number[] = [];
  const request = () => frame(`{"jsonrpc":"2.0","id":${next++},"method":"execute","params":${params}}`);
  const started = performance.now();
  const until = started + options.milliseconds;
  await new Promise<void>((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0);
    let sentAt = 0;
    const send = (count: number) => {
      sentAt = performance.now();
      socket.write(Buffer.concat(Array.from({ length: count }, request)));
    };
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('"error"')) reject(new Error(chunk.toString('latin1').slice(0, 500)));
      const { frames, consumed, bytes } = countFrames(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
      rest = bytes.subarray(consumed);
      if (frames === 0) return;
      answers += frames;
      const now = performance.now();
      times.push((now - sentAt) * 1000);
      if (now >= until) resolve();
      else send(frames);
    });
    send(options.inFlight);
  });
  const elapsed = performance.now() - started;
  socket.destroy();
  return resultOf(answers, elapsed, times);
}

async function upgrade(port: number, token: string): Promise<Socket> {
  const socket = await dial(port);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (head) => {
      if (head.toString('latin1').startsWith('HTTP/1.1 101')) resolve(socket);
      else reject(new Error(head.toString('latin1').slice(0, 500)));
    });
    socket.write(
      `GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n` +
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: qmp-gateway.v1\r\n\r\n`,
    );
  });
}

/** A masked text frame of under 64 KiB; the mask is zero, which leaves the text as it is. */
function frame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const short = length < 126;
  const bytes = Buffer.alloc((short ? 6 : 8) + length);
  bytes[0] = 0x81;
  bytes[1] = 0x80 | (short ? length : 126);
  if (!short) bytes.writeUInt16BE(length, 2);
  bytes.write(text, short ? 6 : 8);
  return bytes;
}

/** Whole frames of a server (never masked here), and where the first unfinished one starts. */
function countFrames(bytes: Buffer): { frames: number; consumed: number; bytes: Buffer } {
  let frames = 0;
  let at = 0;
  while (at + 4 <= bytes.length) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const end = at + (short === 126 ? 4 + bytes.readUInt16BE(at + 2) : 2 + short);
    if (end > bytes.length) break;
    at = end;
    frames++;
  }
  return { frames, consumed: at, bytes };
}
