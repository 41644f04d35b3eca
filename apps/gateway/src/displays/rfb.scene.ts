/** RFB as a client writes it, for tests. */
const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};
const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const version = Buffer.from('RFB 003.008\n');

/** The client's part of a handshake without a password. */
export const clientHello = Buffer.concat([version, Buffer.of(1, 0)]);

/** What QEMU sends until it waits for messages, without a password. */
export function serverHello({ name = 'QEMU', width = 640, height = 480 } = {}): Buffer[] {
  const format = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
  const init = Buffer.concat([u16(width), u16(height), format, i32(name.length), Buffer.from(name)]);
  return [version, Buffer.of(1, 1), Buffer.alloc(4), init];
}

/** Messages by what they are called here. */
export const message = {
  pixelFormat: () => Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]),
  encodings: (...list: readonly number[]) => Buffer.concat([Buffer.of(2, 0), u16(list.length), ...list.map(i32)]),
  update: (incremental = 1) => Buffer.concat([Buffer.of(3, incremental), u16(0), u16(0), u16(640), u16(480)]),
  key: (keysym: number, down = 1) => Buffer.concat([Buffer.of(4, down, 0, 0), i32(keysym)]),
  pointer: (x: number, y: number, buttons = 0) => Buffer.concat([Buffer.of(5, buttons), u16(x), u16(y)]),
  text: (text: Buffer) => Buffer.concat([Buffer.of(6, 0, 0, 0), i32(text.length), text]),
  extendedText: (flags: number, data: Buffer) =>
    Buffer.concat([Buffer.of(6, 0, 0, 0), i32(-(data.length + 4)), i32(flags), data]),
  continuous: (on = 1) => Buffer.concat([Buffer.of(150, on), u16(0), u16(0), u16(640), u16(480)]),
  fence: (payload: Buffer) => Buffer.concat([Buffer.of(248, 0, 0, 0), i32(0), Buffer.of(payload.length), payload]),
  xvp: (code: number) => Buffer.of(250, 0, 1, code),
  desktopSize: (screens: number) =>
    Buffer.concat([Buffer.of(251, 0), u16(800), u16(600), Buffer.of(screens, 0), Buffer.alloc(screens * 16, 4)]),
  extendedKey: (keysym: number, code: number) => Buffer.concat([Buffer.of(255, 0), u16(1), i32(keysym), i32(code)]),
  sound: (wish: 0 | 1 | 2) => Buffer.concat([Buffer.of(255, 1), u16(wish), Buffer.alloc(wish === 2 ? 6 : 0, 1)]),
};

/** Only these change nothing but what their own connection is shown. */
export const lookingTypes: ReadonlySet<number> = new Set([0, 2, 3, 150, 248]);

/**
 * The types of messages in a stream, cut as QEMU cuts it: an independent reading, by which tests see what the server
 * understands. @throws Error where QEMU would end the connection, and for a message that is not complete
 */
export function typesOf(stream: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at < stream.length;) {
    const length = lengthAt(stream, at);
    if (length === undefined || at + length > stream.length) throw new Error(`no whole message at ${at}`);
    types.push(stream[at] ?? -1);
    at += length;
  }
  return types;
}

const plainLengths: Readonly<Record<number, number>> = { 0: 20, 3: 10, 4: 8, 5: 6, 150: 10, 250: 4 };

function lengthAt(stream: Buffer, at: number): number | undefined {
  const type = stream.readUInt8(at);
  switch (type) {
    case 2:
      return 4 + stream.readUInt16BE(at + 2) * 4;
    case 6:
      return 8 + Math.abs(stream.readInt32BE(at + 4));
    case 248:
      return 9 + stream.readUInt8(at + 8);
    case 251:
      return 8 + stream.readUInt8(at + 6) * 16;
    case 255:
      if (stream.readUInt8(at + 1) === 0) return 12;
      return stream.readUInt16BE(at + 2) === 2 ? 10 : 4;
    default:
      return plainLengths[type];
  }
}
