import type { HeldFile } from '@qmp-gateway/qmp';
import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { ReadStream, WriteStream } from 'node:tty';

/** The gateway's end of a serial line. */
export interface SerialLink {
  /** Whether the line takes what is typed. */
  readonly canType: boolean;
  /** Bytes typed that the line has not taken yet. */
  readonly waiting: number;
  /** @returns false when the line takes no more until it is `drained` */
  write(bytes: Buffer): boolean;
  /** Nothing is called any more. */
  close(): void;
}

/** Who has a link. */
export interface SerialLinkOwner {
  received(chunk: Buffer): void;
  /** It can be written to again. */
  drained(): void;
  /** The line is gone. @param code of the system's error, or empty */
  ended(code: string): void;
}

/** Bytes typed that wait for the guest; whoever types is not read meanwhile. */
const typedBound = 64 * 1024;

/** Connects to the socket of a line, to the very file that was checked. */
export function openSocketLink(file: HeldFile, owner: SerialLinkOwner): SerialLink {
  const socket = connect({ path: file.path });
  // The name is resolved by then.
  file.release();
  return new StreamLink(socket, socket, owner);
}

/** Opens a terminal of the host, raw: the guest's own discipline is the only one. */
export function openPtyLink(file: HeldFile, owner: SerialLinkOwner): SerialLink {
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const opened: (() => void)[] = [];
  const open = <T extends Socket>(made: (descriptor: number) => T): T => {
    const descriptor = openSync(file.path, flags);
    opened.push(() => closeSync(descriptor));
    const stream = made(descriptor);
    // It closes its descriptor itself.
    opened.splice(-1, 1, () => stream.destroy());
    return stream;
  };
  try {
    const input = open((descriptor) => new ReadStream(descriptor));
    input.setRawMode(true);
    return new StreamLink(
      input,
      open((descriptor) => new WriteStream(descriptor)),
      owner,
    );
  } catch (error) {
    for (const close of opened) close();
    throw error;
  } finally {
    file.release();
  }
}

class StreamLink implements SerialLink {
  readonly canType = true;
  #closed = false;

  constructor(
    private readonly input: Socket,
    private readonly output: Socket,
    private readonly owner: SerialLinkOwner,
  ) {
    let code = '';
    for (const stream of new Set([input, output])) {
      stream.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
      stream.on('close', () => this.#end(code));
    }
    input.on('data', (chunk) => {
      if (!this.#closed) this.owner.received(chunk);
    });
    input.on('end', () => this.#end(''));
    output.on('drain', () => {
      if (!this.#closed) this.owner.drained();
    });
  }

  get waiting(): number {
    return this.output.writableLength;
  }

  write(bytes: Buffer): boolean {
    if (this.#closed) return true;
    const goesOn = this.output.write(bytes);
    return goesOn || this.output.writableLength < typedBound;
  }

  close(): void {
    this.#closed = true;
    this.input.destroy();
    this.output.destroy();
  }

  #end(code: string): void {
    if (this.#closed) return;
    this.close();
    this.owner.ended(code);
  }
}
