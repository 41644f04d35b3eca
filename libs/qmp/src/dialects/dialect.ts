import type { Settlement } from '../execution.js';
import type { Greeting } from '../greeting.js';

/** What differs between the servers that speak QMP: data, and three functions. */
export interface Dialect {
  readonly name: string;
  /** Greets at connect and negotiates capabilities; otherwise the session opens with `guest-sync-delimited`. */
  readonly greets: boolean;
  /** A guest writes the replies and may send anything, so values of any length are checked completely. */
  readonly byGuest: boolean;
  /** In-band commands in flight at most. */
  readonly window: number;
  /** `id`: every reply to an intelligible request carries its id. `order`: one at a time, ids may be missing. */
  readonly replies: 'id' | 'order';
  /** One write may contain several messages. */
  readonly gathers: boolean;
  /** Of several descriptors with one message the server uses the last, and never closes the others: they are not sent. */
  readonly lastDescriptorOnly: boolean;
  /** Bytes of the longest message that the server accepts; null if it sets no limit of its own. */
  readonly messageBytes: number | null;
  /** The rate of messages that the server accepts; null if it sets none. */
  readonly rate: { readonly perSecond: number; readonly burst: number } | null;
  /** The end of the connection means the end of the VM, even without `SHUTDOWN`. */
  readonly endIsShutdown: boolean;
  /**
   * Over plain tcp the server does not survive a plain close, so the session closes by reset. After a failed command it
   * sends this harmless query, so that the server survives even if this process is killed and the system closes the
   * connection. Null: the server survives a close.
   */
  readonly queryBeforeEnd: string | null;
  /** Milliseconds without traffic before a close, so that the server has no event left to write. */
  readonly quietBeforeCloseMs: number;
  /** Commands that answer only when they fail; if the session ends without an answer, they succeeded. */
  readonly silentOnSuccess: ReadonlySet<string>;
  /** Whether a server that greets so speaks it; the first dialect of the table is spoken by all others. */
  isSpokenBy(greeting: Greeting): boolean;
  /**
   * Ids of messages after negotiation. `number`: of three digits, for a server that echoes any id, and has said all that
   * it had to say to a former client when it answers `qmp_capabilities`. `text`: as no other client can have made them.
   */
  readonly ids: 'number' | 'text';
  /** The bytes after a message. */
  readonly terminator: string;
  /** The arguments of `qmp_capabilities`, or undefined for none. */
  capabilities(greeting: Greeting): string | undefined;
  /** Translates a reply to QMP's own terms; null: the command certainly did not run and is sent again. */
  interpret(settlement: Settlement, command: string): Settlement | null;
}
