/** How a peer speaks. `storage-daemon` is QEMU's protocol under another name; `auto` tells StratoVirt by its greeting. */
export type DialectName = 'qemu' | 'stratovirt' | 'storage-daemon' | 'guest-agent';

export interface Greeting {
  readonly version: { readonly major: number; readonly minor: number; readonly micro: number };
  readonly package: string;
  readonly capabilities: readonly string[];
  /** The greeting line as the server wrote it. */
  readonly json: string;
}

/** One negotiated session; a new object for every connection, so its identity can stand for an epoch. */
export interface SessionInfo {
  /** Random, made for this connection; the prefix of its message ids. */
  readonly nonce: string;
  /** Null for the guest agent, which does not greet. */
  readonly greeting: Greeting | null;
  readonly dialect: DialectName;
  /** Out-of-band execution was negotiated. */
  readonly oob: boolean;
  /** Wall-clock milliseconds. */
  readonly negotiatedAt: number;
}

/** One event, its parts cut out of the line and not interpreted. */
export interface QmpEvent {
  readonly name: string;
  /** JSON text exactly as the server wrote it; undefined when the event has no `data` member. */
  readonly data: string | undefined;
  /** JSON text exactly as the server wrote it; `null` when the event has none. */
  readonly timestamp: string;
  /** Wall-clock milliseconds of its arrival here. */
  readonly receivedAt: number;
}
