/**
 * How one command ended. Every execution gets exactly one.
 *
 * - `return`: `value` holds the exact bytes of the `return` member, in memory of its own.
 * - `error`: the server answered with an error of that QMP class.
 * - `not-sent`: no byte of the command was handed to the kernel.
 * - `too-large`: not sent, because the dialect accepts messages of at most `limit` bytes.
 * - `unreadable`: not sent, because the server's JSON reader rejects one of its characters (see `isReadable`).
 * - `unknown`: handed over, but no usable reply came; the command may have run, may still be running, or may be lost.
 *   `tooLong`: the reply was longer than the limit.
 */
export type Settlement =
  | { readonly kind: 'return'; readonly value: Buffer }
  | { readonly kind: 'error'; readonly class: string; readonly desc: string }
  | { readonly kind: 'not-sent'; readonly cause: string }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'unknown'; readonly cause: string; readonly tooLong?: true };

/**
 * One command on its way through a monitor. It holds an in-band place until its reply or the end of the session: QMP
 * has no cancel, so a deadline concerns only the caller and frees no place.
 */
export interface Execution {
  readonly command: string;
  /**
   * The `arguments` object as JSON text, sent as it is but for white space outside of strings. Absent: the message has no
   * `arguments` member.
   */
  readonly argumentsJson?: string;
  readonly outOfBand?: boolean;
  /**
   * Open descriptors of this process that go with the message. They stay open until `settle`, and are never closed here. The
   * server has them of one message at a time: in-band commands after one that waits for that wait too. Only over unix
   * sockets, and with {@link DescriptorPassage}; else `not-sent`.
   */
  readonly descriptors?: readonly number[];
  /** Bytes of the longest useful reply; a longer one is `unknown`. Absent: the longest line. */
  readonly answerBytes?: number;
  /** Called once, just before the first byte is handed to the kernel: not sent before, outcome unknown after. */
  onWrite?(): void;
  /** Called exactly once, synchronously; must not throw. */
  settle(settlement: Settlement): void;
}
