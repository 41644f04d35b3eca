import { RfbFault } from './rfb-fault.js';

/** RFB 3.8 (RFC 6143); QEMU speaks it in all releases that introspect themselves. */
export const rfbVersion = Buffer.from('RFB 003.008\n');

/** 3.8 and what later versions there may be. */
export function isVersion(bytes: Buffer): boolean {
  const [, major, minor] = /^RFB (\d{3})\.(\d{3})\n$/.exec(bytes.toString('latin1')) ?? [];
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 8);
}

/** More than any reason or name; QEMU's names have some dozens of bytes. */
const longestText = 64 * 1024;

/** The length of a text that a server sends, as it is. @throws RfbFault for one without end */
export function textLength(length: number): number {
  if (length > longestText) throw new RfbFault(`the VM sent a text of ${length} bytes`);
  return length;
}

/** A server's size, pixel format, and the length of its name. */
export const initBytes = 24;

/** Kinds of security that end in a stream in the clear, so that keys can be told from looking. */
export const security = { none: 1, password: 2 } as const;

/** What both directions of one handshake know of each other. */
export interface RfbHandshake {
  /** The server has said that it speaks RFB. */
  greeted: boolean;
  /** Kinds of security that the client may choose; empty until it was offered some. */
  offered: ReadonlySet<number>;
  chosen: number | undefined;
}

export function newHandshake(): RfbHandshake {
  return { greeted: false, offered: new Set(), chosen: undefined };
}
