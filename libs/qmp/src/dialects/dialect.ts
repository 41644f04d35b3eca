import type { Outcome } from '../execution.js';
import type { DialectName, Greeting } from '../session-info.js';

/** What differs between the servers that speak QMP: data, and two decisions. */
export interface Dialect {
  readonly name: DialectName;
  /** Greets at connect and negotiates capabilities; otherwise the session opens with `guest-sync-delimited`. */
  readonly greets: boolean;
  /** Replies are made by a guest, which may send anything: all of a value is checked, however long. */
  readonly byGuest: boolean;
  /** In-band commands in flight at most. */
  readonly window: number;
  /** `id`: every reply to an intelligible request carries its id. `order`: one at a time, ids may be missing. */
  readonly replies: 'id' | 'order';
  /** Several messages may share a write. */
  readonly gathers: boolean;
  /** Bytes of the longest message the server takes; null when it sets no limit of its own. */
  readonly messageBytes: number | null;
  /** Messages the server takes, or null when it does not count them. */
  readonly rate: { readonly perSecond: number; readonly burst: number } | null;
  /** The end of the connection is the end of the VM, also without `SHUTDOWN`. */
  readonly endIsShutdown: boolean;
  /**
   * Over plain tcp the server cannot bear that we just close: we leave by reset. After a failed command it gets this
   * harmless query, by which it survives us even when we are killed and the system closes for us. Null: it can.
   */
  readonly queryBeforeEnd: string | null;
  /** Milliseconds without traffic before we close, so that the server has no event left to write. */
  readonly quietBeforeCloseMs: number;
  /** Commands that answer only when they fail; without an answer until the end of the session they succeeded. */
  readonly silentOnSuccess: ReadonlySet<string>;
  /** What follows a message. */
  terminator(command: string): string;
  /** The arguments of `qmp_capabilities`, or undefined for none. */
  capabilities(greeting: Greeting): string | undefined;
  /** What a reply means in QMP's own terms; null: the command was certainly not run and is to be sent again. */
  interpret(outcome: Outcome, command: string): Outcome | null;
}
