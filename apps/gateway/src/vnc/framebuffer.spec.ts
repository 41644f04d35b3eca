import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@qmp-gateway/qmp';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { readFramebuffer, type Framebuffer } from './framebuffer.js';

const scene = new Scene();
afterEach(() => scene.end());

const u16 = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
const u32 = (value: number) => Buffer.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
const version = Buffer.from('RFB 003.008\n');
const none = Buffer.of(1, 1);
const accepted = u32(0);
const init = (width: number, height: number, name = 'VM') =>
  Buffer.concat([u16(width, height), Buffer.alloc(16), u32(name.length), Buffer.from(name)]);
/** Pixels on the wire: blue, green, red, nothing. */
const raw = (x: number, y: number, width: number, height: number, pixels: readonly number[]) =>
  Buffer.concat([
    ...[u16(x, y, width, height), u32(0)],
    Buffer.from(pixels.flatMap((pixel) => [pixel & 255, (pixel >> 8) & 255, pixel >> 16, 0])),
  ]);
const resized = (width: number, height: number) => Buffer.concat([u16(0, 0, width, height), u32(-223 >>> 0)]);
const update = (...rectangles: Buffer[]) => Buffer.concat([Buffer.of(0, 0), u16(rectangles.length), ...rectangles]);

/** What a server says, each piece after the client said something; whole, or byte by byte. */
async function seen(pieces: readonly Buffer[], { bytewise = false, milliseconds = 5000 } = {}): Promise<Framebuffer> {
  const path = join(scene.directory(), 'display');
  const server = scene.keep(createServer(), (made) => made.close());
  server.on('connection', (socket: Socket) => {
    scene.keep(socket, () => socket.destroy());
    socket.on('error', () => undefined);
    const left = [...pieces];
    const speak = (): void => {
      const piece = left.shift() ?? Buffer.alloc(0);
      if (bytewise) for (const byte of piece) socket.write(Buffer.of(byte));
      else socket.write(piece);
    };
    socket.on('data', speak);
    speak();
  });
  server.listen(path);
  await once(server, 'listening');
  const client = connect(path);
  await once(client, 'connect');
  return readFramebuffer(client, milliseconds, systemClock);
}

const colours = [0xff0000, 0x00ff00, 0x0000ff, 0x123456, 0xabcdef, 0x000001];
const rgb = Buffer.from(colours.flatMap((pixel) => [pixel >> 16, (pixel >> 8) & 255, pixel & 255]));

describe('a picture over RFB', () => {
  it.each([false, true])('is put together of rectangles, bytewise: %s', async (bytewise) => {
    const parts = [raw(0, 0, 1, 2, [0xff0000, 0x123456]), raw(1, 0, 2, 1, [0x00ff00, 0x0000ff])];
    const last = update(raw(1, 1, 2, 1, [0xabcdef, 0x000001]));
    const text = Buffer.concat([Buffer.of(3, 0, 0, 0), u32(2), Buffer.from('hi')]);
    const screen = Buffer.concat([Buffer.of(2), text, update(...parts), last]);
    expect(await seen([version, none, accepted, init(3, 2), screen], { bytewise })).toEqual({
      width: 3,
      height: 2,
      rgb,
    });
  });

  it('is that of the new size when the size changes meanwhile', async () => {
    const pieces = [version, none, accepted, init(9, 9), update(resized(3, 2)), update(raw(0, 0, 3, 2, colours))];
    expect(await seen(pieces)).toEqual({ width: 3, height: 2, rgb });
  });

  it('is had as soon as it is whole, whatever the VM would draw over it', async () => {
    const whole = raw(0, 0, 3, 2, colours);
    const endless = Buffer.concat([Buffer.of(0, 0), u16(65_535), whole, whole]);
    expect(await seen([version, none, accepted, init(3, 2), endless])).toEqual({ width: 3, height: 2, rgb });
  });
});

describe('no picture', () => {
  it.each<[string, Buffer[]]>([
    ['does not speak RFB', [Buffer.from('SSH-2.0-OpenSSH')]],
    ['does not speak RFB', [Buffer.from('RFB 003.003\n')]],
    ['wants a password', [version, Buffer.of(1, 2)]],
    ['wants a password', [version, Buffer.of(0)]],
    ['refused the gateway', [version, none, u32(1)]],
    ['0 × 2', [version, none, accepted, init(0, 2)]],
    ['65535 × 65535', [version, none, accepted, init(65_535, 65_535)]],
    ['outside its display', [version, none, accepted, init(3, 2), update(raw(1, 0, 3, 1, colours))]],
    ['unknown type 9', [version, none, accepted, init(3, 2), Buffer.of(9)]],
    ['encoding 16', [version, none, accepted, init(3, 2), update(Buffer.concat([u16(0, 0, 3, 2), u32(16)]))]],
    ['a text of', [version, none, accepted, init(3, 2), Buffer.concat([Buffer.of(3, 0, 0, 0), u32(2 ** 31)])]],
    [
      'changes the size of its display without end',
      [version, none, accepted, init(3, 2), update(...Array<Buffer>(60_000).fill(resized(7680, 4320)))],
    ],
    ['never sent a whole picture', [version, none, accepted, init(3, 2), Buffer.alloc(100, 2)]],
  ])('of a display that %s', async (reason, pieces) => {
    await expect(seen(pieces)).rejects.toThrow(reason);
  });

  it('of a display that says nothing', async () => {
    await expect(seen([], { milliseconds: 50 })).rejects.toThrow('in time');
  });
});
