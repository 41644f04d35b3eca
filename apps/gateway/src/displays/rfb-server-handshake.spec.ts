import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RfbFault } from '../vnc/rfb-fault.js';
import { newHandshake, security } from '../vnc/rfb-handshake.js';
import { RfbServerHandshake } from './rfb-server-handshake.js';
import { serverHello, version } from './rfb.scene.js';

const word = (value: number) => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value);

/** What the client gets of these bytes; it chooses `chosen` as soon as it is asked. */
function heard(pieces: readonly Buffer[], chosen: number = security.none): { bytes: Buffer; end: string | undefined } {
  const handshake = newHandshake();
  const server = new RfbServerHandshake(handshake);
  const bytes = pieces.flatMap((piece) => {
    const sent = server.push(piece);
    if (handshake.offered.size > 0) handshake.chosen = chosen;
    return [...sent];
  });
  return { bytes: Buffer.concat(bytes), end: server.end };
}

const byteByByte = (stream: Buffer) => [...stream].map((byte) => Buffer.of(byte));

describe('the handshake of a server', () => {
  it('reaches the client as it is, and then the screen', () => {
    const pieces = [...serverHello(), Buffer.from('the screen')];
    expect(heard(pieces)).toEqual({ bytes: Buffer.concat(pieces), end: 'screen' });
    expect(heard(byteByByte(Buffer.concat(pieces)))).toEqual({ bytes: Buffer.concat(pieces), end: 'screen' });
  });

  it('asks for a password', () => {
    const [, , ok = word(0), init = word(0)] = serverHello();
    const pieces = [version, Buffer.of(1, 2), Buffer.alloc(16, 5), ok, init];
    expect(heard(pieces, security.password)).toEqual({ bytes: Buffer.concat(pieces), end: 'screen' });
  });

  it('refuses a password with a reason', () => {
    const pieces = [version, Buffer.of(1, 2), Buffer.alloc(16, 5), word(1), word(5), Buffer.from('wrong')];
    expect(heard(pieces, security.password)).toEqual({ bytes: Buffer.concat(pieces), end: 'refused' });
  });

  it('refuses everybody', () => {
    const pieces = [version, Buffer.of(0), word(4), Buffer.from('full')];
    expect(heard(pieces)).toEqual({ bytes: Buffer.concat(pieces), end: 'refused' });
  });

  it('offers on only what can be followed', () => {
    expect(heard([version, Buffer.of(3, 19, 2, 1)]).bytes).toEqual(Buffer.concat([version, Buffer.of(2, 2, 1)]));
    expect(() => heard([version, Buffer.of(1, 19)])).toThrow(RfbFault);
  });

  it('is refused where something else speaks', () => {
    for (const text of ['HTTP/1.1 400 Bad', '{"QMP": {"version"', 'RFB 003.003\n', 'SSH-2.0-OpenSSH'])
      expect(() => heard([Buffer.from(text)])).toThrow(RfbFault);
  });

  it('has an end: nobody is made to wait for a name of gigabytes', () => {
    const [, , ok = word(0), init = word(0)] = serverHello();
    const endless = Buffer.concat([init.subarray(0, 20), word(2 ** 31)]);
    expect(() => heard([version, Buffer.of(1, 1), ok, endless])).toThrow(RfbFault);
    expect(() => heard([version, Buffer.of(0), word(2 ** 30)])).toThrow(RfbFault);
  });

  it('is read or refused, whatever comes, and never kept without bound', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (pieces) => {
        try {
          heard([version, ...pieces.map((piece) => Buffer.from(piece))]);
        } catch (error) {
          expect(error).toBeInstanceOf(RfbFault);
        }
      }),
    );
  });
});
