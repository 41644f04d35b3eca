import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** All counters read into this: what is read is counted before the next read. */
const shared = Buffer.alloc(256 * 1024);

export interface FrameCounter {
  destroy(): void;
}

/**
 * A WebSocket that only counts its messages. A stream for each of a thousand sockets would cost more than the gateway
 * does for them, and its time would be taken for the gateway's.
 *
 * @param message sent once open
 * @param arrived told how many messages came with one read
 */
export function countFrames(
  url: { readonly port: number; readonly path: string; readonly token: string },
  message: string,
  arrived: (count: number) => void,
): FrameCounter {
  const frames = new FrameScanner();
  let open = false;
  const socket = connect({
    port: url.port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: shared,
      callback: (length, bytes) => {
        let from = 0;
        if (!open) {
          const head = Buffer.from(bytes).toString('latin1', 0, length);
          // One small answer on an idle loopback comes in one piece.
          if (!/^HTTP\/1\.1 101[^]*\r\n\r\n/.test(head)) throw new Error(`no WebSocket: ${head.slice(0, 300)}`);
          open = true;
          from = head.indexOf('\r\n\r\n') + 4;
          socket.write(maskedText(message));
        }
        const count = frames.count(bytes, from, length);
        if (count > 0) arrived(count);
        return true;
      },
    },
  });
  socket.write(
    `GET ${url.path} HTTP/1.1\r\nHost: 127.0.0.1:${url.port}\r\nAuthorization: Bearer ${url.token}\r\n` +
      'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: qmp-gateway.v1\r\n\r\n`,
  );
  return { destroy: () => socket.destroy() };
}

/** Counts the frames of a server (never masked) that end in each piece of the stream. */
class FrameScanner {
  /** Bytes of the present frame's payload still to come. */
  #payload = 0;
  /** Bytes of the present frame's header so far. */
  readonly #header: number[] = [];
  #opcode = 0;

  count(bytes: Uint8Array, from: number, end: number): number {
    let count = 0;
    let at = from;
    while (at < end) {
      if (this.#payload === 0 && !this.#headerDone(bytes[at++] ?? 0)) continue;
      const taken = Math.min(this.#payload, end - at);
      at += taken;
      this.#payload -= taken;
      // Pings and the like are no messages.
      if (this.#payload === 0 && this.#opcode < 8) count++;
    }
    return count;
  }

  #headerDone(byte: number): boolean {
    const header = this.#header;
    header.push(byte);
    const short = (header[1] ?? 0) & 0x7f;
    const length = header.length < 2 ? Infinity : short < 126 ? 2 : short === 126 ? 4 : 10;
    if (header.length < length) return false;
    this.#payload = length === 2 ? short : header.slice(2).reduce((value, digit) => value * 256 + digit, 0);
    this.#opcode = (header[0] ?? 0) & 0x0f;
    header.length = 0;
    return true;
  }
}

/** A text frame of under 126 bytes; the mask is zero, which leaves the text as it is. */
function maskedText(text: string): Buffer {
  if (text.length > 125) throw new Error('longer than a short frame');
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}
