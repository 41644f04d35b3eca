import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RfbClientFilter } from './rfb-client-filter.js';
import { RfbFault } from '../vnc/rfb-fault.js';
import { newHandshake } from '../vnc/rfb-handshake.js';
import { clientHello, lookingTypes, message, typesOf, version } from './rfb.scene.js';

function filterOf({ looksOnly = false, offered = [1] } = {}): RfbClientFilter {
  const handshake = newHandshake();
  handshake.offered = new Set(offered);
  return new RfbClientFilter(handshake, looksOnly);
}

/** A filter after the handshake. */
function following(looksOnly: boolean): RfbClientFilter {
  const filter = filterOf({ looksOnly });
  expect(Buffer.concat(filter.push(clientHello))).toEqual(Buffer.concat([version, Buffer.of(1, 1)]));
  return filter;
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const anyMessage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constant(message.pixelFormat()),
  fc.array(fc.integer(), { maxLength: 40 }).map((list) => message.encodings(...list)),
  fc.integer({ min: 0, max: 1 }).map(message.update),
  fc.tuple(fc.integer(), fc.integer({ min: 0, max: 1 })).map(([keysym, down]) => message.key(keysym, down)),
  fc.tuple(fc.nat(65535), fc.nat(65535), fc.nat(255)).map(([x, y, buttons]) => message.pointer(x, y, buttons)),
  bytes(300).map(message.text),
  fc.tuple(fc.integer(), bytes(300)).map(([flags, data]) => message.extendedText(flags, data)),
  fc.constant(message.continuous()),
  bytes(64).map(message.fence),
  fc.nat(255).map(message.xvp),
  fc.nat(5).map(message.desktopSize),
  fc.tuple(fc.integer(), fc.integer()).map(([keysym, code]) => message.extendedKey(keysym, code)),
  fc.constantFrom(0, 1, 2).map((wish) => message.sound(wish)),
);

/** A stream in pieces of any size. */
function* cutAt(stream: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, index = 0; at < stream.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield stream.subarray(at, at + size);
    at += size;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });

describe('messages of a client', () => {
  it('reach the server byte for byte when it may type, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 60 }), sizes, (messages, cuts) => {
        const filter = following(false);
        const stream = Buffer.concat(messages);
        const passed = [...cutAt(stream, cuts)].flatMap((piece) => filter.push(piece));
        expect(Buffer.concat(passed)).toEqual(stream);
      }),
    );
  });

  it('reach it only when they look, for who looks only, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 60 }), sizes, (messages, cuts) => {
        const filter = following(true);
        const passed = [...cutAt(Buffer.concat(messages), cuts)].flatMap((piece) => filter.push(piece));
        const looking = messages.filter(([type = -1]) => lookingTypes.has(type));
        expect(Buffer.concat(passed)).toEqual(Buffer.concat(looking));
      }),
    );
  });

  it('100,000 of them, crafted, broken and random, bring none but those that look to the server', () => {
    const kinds = fc.sample(anyMessage, { numRuns: 4000, seed: 19 });
    let random = 1;
    // The generator of Numerical Recipes: each run is the same.
    const next = (below: number): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return Math.floor((random / 2 ** 32) * below);
    };
    let [pushed, ended] = [0, 0];
    const reached = new Set<number>();
    while (pushed < 100_000) {
      const filter = following(true);
      const passed: Buffer[] = [];
      try {
        for (let at = 0; at < 200 && pushed < 100_000; at++, pushed++) {
          const crafted = Buffer.from(kinds[next(kinds.length)] ?? []);
          // One in eight has a byte that is another; one in sixteen is noise.
          if (next(8) === 0 && crafted.length > 0) crafted[next(crafted.length)] = next(256);
          if (next(16) === 0) for (let byte = 0; byte < crafted.length; byte++) crafted[byte] = next(256);
          const split = next(crafted.length + 1);
          passed.push(...filter.push(crafted.subarray(0, split)), ...filter.push(crafted.subarray(split)));
        }
      } catch (error) {
        expect(error).toBeInstanceOf(RfbFault);
        ended++;
      }
      for (const type of typesBeforeTheCut(Buffer.concat(passed))) reached.add(type);
    }
    expect([...reached].sort((one, other) => one - other)).toEqual([...lookingTypes].sort((one, other) => one - other));
    expect(ended).toBeGreaterThan(1000);
  }, 60_000);

  it.each([
    ['a type that there is not', Buffer.of(7, 0, 0, 0)],
    ['a message of QEMU that there is not', Buffer.of(255, 2, 0, 0)],
    ['a wish for sound that there is not', Buffer.of(255, 1, 0, 3)],
    ['a text over a mebibyte', Buffer.of(6, 0, 0, 0, 0, 0x10, 0, 1)],
    ['the lowest length', Buffer.of(6, 0, 0, 0, 0x80, 0, 0, 0)],
    ['an extended text without a head', Buffer.of(6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfd)],
    ['thousands of encodings', Buffer.of(2, 0, 0x10, 0)],
    ['a fence of 65 bytes', Buffer.of(248, 0, 0, 0, 0, 0, 0, 0, 65)],
  ])('with %s end the connection, whoever sends them', (_, bad) => {
    for (const looksOnly of [true, false]) expect(() => following(looksOnly).push(bad)).toThrow(RfbFault);
  });

  it('take no memory while they are dropped', () => {
    const filter = following(true);
    filter.push(message.text(Buffer.alloc(2 ** 20)).subarray(0, 8));
    for (let at = 0; at < 2 ** 20; at += 2 ** 16) expect(filter.push(Buffer.alloc(2 ** 16))).toEqual([]);
    expect(filter.push(message.update())).toEqual([message.update()]);
  });
});

describe('the handshake of a client', () => {
  it('asks for a shared display, whatever it says', () => {
    for (const shared of [0, 1, 7])
      expect(Buffer.concat(filterOf().push(Buffer.concat([version, Buffer.of(1, shared)])))).toEqual(
        Buffer.concat([version, Buffer.of(1, 1)]),
      );
  });

  it('passes the answer to a password on, byte by byte', () => {
    const hello = Buffer.concat([version, Buffer.of(2), Buffer.alloc(16, 9), Buffer.of(0)]);
    const filter = filterOf({ offered: [1, 2] });
    const passed = [...hello].flatMap((byte) => filter.push(Buffer.of(byte)));
    expect(Buffer.concat(passed)).toEqual(Buffer.concat([hello.subarray(0, -1), Buffer.of(1)]));
  });

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an older version', Buffer.from('RFB 003.003\n')],
    ['encryption, which nobody could follow', Buffer.concat([version, Buffer.of(19)])],
    ['a password that was not offered', Buffer.concat([version, Buffer.of(2)])],
  ])('is refused with %s', (_, hello) => expect(() => filterOf().push(hello)).toThrow(RfbFault));

  it('is refused when it chooses before it was asked', () =>
    expect(() => filterOf({ offered: [] }).push(Buffer.concat([version, Buffer.of(1)]))).toThrow(RfbFault));
});

/** The last message of a connection that ended may be cut. */
function typesBeforeTheCut(stream: Buffer): number[] {
  for (let end = stream.length; ; end--)
    try {
      return typesOf(stream.subarray(0, end));
    } catch (error) {
      if (end === 0) throw error;
    }
}
