import { RfbFault } from '../vnc/rfb-fault.js';
import { rfbVersion, security, type RfbHandshake } from '../vnc/rfb-handshake.js';

/** The next part of a client's stream: so many bytes, which reach the server or do not. */
interface Part {
  readonly length: number;
  readonly passes: boolean;
  /** Sent in place of what the client wrote; the part is taken only when it is there in full. */
  readonly instead?: Buffer;
}

/** A message whose length is told by its first bytes. */
interface MessageKind {
  /** Bytes from which the length is known. */
  readonly head: number;
  readonly looks: boolean;
  /** @throws RfbFault for a length that no server takes */
  length(head: Buffer): number;
}

/** QEMU's own bound of a text. */
const longestText = 2 ** 20;
/** Encodings that there are number some dozens. */
const mostEncodings = 1024;
const longestFence = 64;
/** Bytes before the text of a clipboard message, and the least that an extended one holds. */
const textHead = 8;
const leastExtended = 4;
/** The longest of all heads. */
const longestHead = 9;

const fixed = (length: number, looks: boolean): MessageKind => ({ head: 1, looks, length: () => length });

/** Messages by their first byte. What is not here ends the connection: its length is not known, and so not what follows. */
const kinds: ReadonlyMap<number, MessageKind> = new Map([
  [0, fixed(20, true)], // SetPixelFormat
  [2, { head: 4, looks: true, length: encodingsLength }], // SetEncodings
  [3, fixed(10, true)], // FramebufferUpdateRequest
  [4, fixed(8, false)], // KeyEvent
  [5, fixed(6, false)], // PointerEvent
  [6, { head: textHead, looks: false, length: textLength }], // ClientCutText
  [150, fixed(10, true)], // EnableContinuousUpdates
  [248, { head: 9, looks: true, length: fenceLength }], // ClientFence
  [250, fixed(4, false)], // xvp: shutdown, reboot, reset
  [251, { head: 8, looks: false, length: desktopSizeLength }], // SetDesktopSize
  [255, { head: 4, looks: false, length: extensionLength }], // QEMU's own
]);

/**
 * Reads what an RFB client sends, and lets through what its principal may do: all, or only what is needed to look. What
 * does not pass is dropped as it comes, so a message of any length takes no memory.
 *
 * Lengths must be exactly those that the server reads: a message that the two cut differently could hide a key in another.
 */
export class RfbClientFilter {
  #step: 'version' | 'security' | 'password' | 'init' | 'messages' = 'version';
  /** Begins a part whose length is not known yet. */
  #held: Buffer = Buffer.alloc(0);
  /** Of the present part. */
  #left = 0;
  #passes = false;
  #typed = 0;

  /** @param looksOnly keys, pointer, clipboard and all that changes the guest are dropped */
  constructor(
    private readonly handshake: RfbHandshake,
    private readonly looksOnly: boolean,
  ) {}

  /** Messages that the server got and that change the guest. */
  get typed(): number {
    return this.#typed;
  }

  /**
   * @returns what the server gets
   * @throws RfbFault when it is no RFB; nothing of this piece may be sent then
   */
  push(chunk: Buffer): readonly Buffer[] {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = data.subarray(data.length);
    const passed: Buffer[] = [];
    /** Begins what passes in one piece and is not in `passed` yet. */
    let from = 0;
    let at = 0;
    const cut = (next: number): void => {
      if (at > from) passed.push(data.subarray(from, at));
      from = next;
    };
    while (at < data.length) {
      if (this.#left === 0) {
        const part = this.#next(data, at);
        if (part === undefined) {
          this.#held = Buffer.from(data.subarray(at));
          break;
        }
        if (part.instead !== undefined) {
          cut(at + part.length);
          passed.push(part.instead);
          at += part.length;
          continue;
        }
        this.#left = part.length;
        this.#passes = part.passes;
      }
      const length = Math.min(this.#left, data.length - at);
      if (!this.#passes) cut(at + length);
      at += length;
      this.#left -= length;
    }
    cut(at);
    return passed;
  }

  /** @returns undefined when more bytes are needed to tell */
  #next(data: Buffer, at: number): Part | undefined {
    switch (this.#step) {
      case 'version':
        return this.#version(data, at);
      case 'security':
        return this.#security(data[at] ?? 0);
      case 'password':
        this.#step = 'init';
        return { length: 16, passes: true };
      case 'init':
        this.#step = 'messages';
        // Always shared: a client that wants a display for itself would shut out all others.
        return { length: 1, passes: true, instead: Buffer.of(1) };
      case 'messages':
        return this.#message(data, at);
    }
  }

  #version(data: Buffer, at: number): Part | undefined {
    const { length } = rfbVersion;
    if (data.length - at < length) return undefined;
    if (!data.subarray(at, at + length).equals(rfbVersion)) throw new RfbFault('the client does not speak RFB 3.8');
    this.#step = 'security';
    return { length, passes: true };
  }

  #security(chosen: number): Part {
    if (!this.handshake.offered.has(chosen)) throw new RfbFault('the client chose a security that was not offered');
    this.handshake.chosen = chosen;
    this.#step = chosen === security.password ? 'password' : 'init';
    return { length: 1, passes: true };
  }

  #message(data: Buffer, at: number): Part | undefined {
    const type = data[at] ?? 0;
    const kind = kinds.get(type);
    if (kind === undefined) throw new RfbFault(`the client sent a message of unknown type ${type}`);
    if (data.length - at < kind.head) return undefined;
    const length = kind.length(data.subarray(at, at + longestHead));
    const passes = kind.looks || !this.looksOnly;
    if (passes && !kind.looks) this.#typed++;
    return { length, passes };
  }
}

function encodingsLength(head: Buffer): number {
  const count = head.readUInt16BE(2);
  if (count > mostEncodings) throw new RfbFault(`the client named ${count} encodings; ${mostEncodings} are the most`);
  return 4 + count * 4;
}

/** A negative length is that of an extended message. */
function textLength(head: Buffer): number {
  const signed = head.readInt32BE(4);
  const length = Math.abs(signed);
  if (length > longestText) throw new RfbFault(`the client sent a text over ${longestText} bytes`);
  if (signed < 0 && length < leastExtended) throw new RfbFault('the client sent an extended text without its head');
  return textHead + length;
}

function fenceLength(head: Buffer): number {
  const length = head.readUInt8(8);
  if (length > longestFence) throw new RfbFault(`the client sent a fence of ${length} bytes`);
  return 9 + length;
}

function desktopSizeLength(head: Buffer): number {
  return 8 + head.readUInt8(6) * 16;
}

/** Keys with their scan codes, and whether sound is wanted. */
function extensionLength(head: Buffer): number {
  const type = head.readUInt8(1);
  if (type === 0) return 12;
  if (type !== 1) throw new RfbFault(`the client sent a message of unknown type 255/${type}`);
  const wish = head.readUInt16BE(2);
  if (wish > 2) throw new RfbFault(`the client sent a message of unknown type 255/1/${wish}`);
  return wish === 2 ? 10 : 4;
}
