import type { Socket } from 'node:net';
import { Descriptor } from './descriptor.js';
import { nativeAddon, type NativeChannel } from './native-addon.js';

/** Descriptors that one message may have (SCM_MAX_FD of Linux). */
export const mostDescriptors = 253;

/** Who gets what a peer sends. */
export interface DescriptorReceiver {
  /** Bytes in order; the descriptors came with one of them, and belong to the receiver. */
  received(bytes: Buffer, descriptors: Descriptor[]): void;
  /** Nothing more comes. @param code of the system's error; null when the peer has ended */
  ended(code: string | null): void;
}

/**
 * The way of descriptors beside a connected unix socket. It watches a duplicate of the socket's own descriptor: the socket
 * stays usable, but its owner must not write while a message is on its way, nor read at all where the channel reads.
 */
export class DescriptorChannel {
  readonly #native: NativeChannel;
  #receiver: DescriptorReceiver | undefined;
  #closed = false;

  private constructor(descriptor: number) {
    this.#native = nativeAddon().adopt(descriptor, (bytes, numbers, error) => this.#received(bytes, numbers, error));
  }

  /**
   * @param socket connected, over a unix socket. To be read here, it must have been paused since before it was connected.
   * @throws Error when it is neither, or no descriptor is free
   */
  static beside(socket: Socket): DescriptorChannel {
    // Node.js has no other name for it; test/structure/node-internals.spec.ts knows of this one.
    const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
    const fd = handle?.fd ?? -1;
    if (fd < 0) throw new Error('the socket is not open');
    return new DescriptorChannel(fd);
  }

  /**
   * Sends one message; the descriptors go with its first byte. They may be closed as soon as this returns.
   * @param bytes at least one
   * @param done once, later, when the kernel has all of it or an error kept it; not after `close()`
   * @throws Error `EALREADY` while another is on its way, `EPIPE` after `close()`, `EMFILE` when no descriptor is free
   */
  send(
    bytes: Buffer,
    descriptors: readonly { readonly number: number }[],
    done: (error: NodeJS.ErrnoException | null) => void,
  ): void {
    const numbers = descriptors.map(({ number }) => number);
    nativeAddon().send(this.#native, bytes, numbers, (code) => done(code === null ? null : failure(code)));
  }

  /** Reads from now on. */
  receive(receiver: DescriptorReceiver): void {
    this.#receiver = receiver;
    this.resume();
  }

  /** Reads nothing until `resume()`: what the peer sends waits in the kernel, and then at the peer. */
  pause(): void {
    nativeAddon().read(this.#native, false);
  }

  resume(): void {
    nativeAddon().read(this.#native, true);
  }

  /** Gives up the channel, not the socket. Nothing is called any more, and what was not sent never is. */
  close(): void {
    this.#closed = true;
    nativeAddon().close(this.#native);
  }

  #received(bytes: Buffer | null, numbers: readonly number[], error: string | null): void {
    const descriptors = numbers.map((number) => new Descriptor(number));
    if (this.#closed || this.#receiver === undefined) for (const descriptor of descriptors) descriptor.close();
    else if (bytes === null) this.#receiver.ended(error);
    else this.#receiver.received(bytes, descriptors);
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`send ${code}`), { code });
}
