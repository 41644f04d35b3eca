import type { Socket } from 'node:net';

/** How descriptors get to the peer of a unix socket, which Node.js itself has no way for. */
export interface DescriptorPassage {
  /**
   * Writes one message with descriptors; nobody else writes to the socket until it is done.
   * @param done once, later; an error is that of the connection, which is to be given up
   * @returns gives the message up, after which `done` is not called
   * @throws Error if it cannot begin
   */
  pass(
    socket: Socket,
    message: { readonly bytes: Buffer; readonly descriptors: readonly number[] },
    done: (error: Error | null) => void,
  ): () => void;
}
