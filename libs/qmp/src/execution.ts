/**
 * How one command ended. Every execution gets exactly one.
 *
 * - `return`: `value` holds the exact bytes of the `return` member, in memory of its own.
 * - `error`: the server answered with an error of that QMP class.
 * - `not-sent`: no byte of the command was handed to the kernel.
 * - `too-large`: not sent, because the dialect takes messages of at most `limit` bytes.
 * - `unreadable`: not sent, because the server's JSON reader refuses one of its characters (see `isReadable`).
 * - `unknown`: handed over, but no usable reply came; the command may have run, may be running still, or may be lost.
 *   `tooLong`: a reply came that is longer than what is taken.
 */
export type Outcome =
  | { readonly kind: 'return'; readonly value: Buffer }
  | { readonly kind: 'error'; readonly class: string; readonly desc: string }
  | { readonly kind: 'not-sent'; readonly cause: string }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'unknown'; readonly cause: string; readonly tooLong?: true };

/**
 * One command on its way through a monitor. It holds an in-band place until its reply or the end of the session:
 * QMP has no cancel, so a deadline is the caller's affair and frees nothing.
 */
export interface Execution {
  readonly command: string;
  /** The `arguments` object as JSON text, sent as it is. Absent: the message has no `arguments` member. */
  readonly argumentsJson?: string;
  readonly outOfBand?: boolean;
  /** Bytes of the longest answer that is of use, `unknown` beyond; absent: the longest line. */
  readonly answerBytes?: number;
  /** Called once, just before the first byte is handed to the kernel: not sent before, outcome unknown after. */
  onWrite?(): void;
  /** Called exactly once, synchronously; must not throw. */
  settle(outcome: Outcome): void;
}
