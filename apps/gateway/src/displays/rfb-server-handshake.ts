import { RfbFault } from '../vnc/rfb-fault.js';
import { initBytes, isVersion, rfbVersion, security, textLength, type RfbHandshake } from '../vnc/rfb-handshake.js';
import { StepReader, type Steps } from '../vnc/step-reader.js';

/** What a server is after its handshake: it sends the screen, or it has refused the client. */
export type HandshakeEnd = 'screen' | 'refused';

/**
 * Reads an RFB server's side of the handshake. The server speaks first, so what is no RFB server hears nothing of the
 * client. Kinds of security that the gateway cannot follow are not offered on.
 */
export class RfbServerHandshake {
  readonly #reader: StepReader<HandshakeEnd>;

  constructor(handshake: RfbHandshake) {
    this.#reader = new StepReader(steps(handshake));
  }

  /** Undefined while it goes on. */
  get end(): HandshakeEnd | undefined {
    return this.#reader.result;
  }

  /**
   * @returns what the client gets; after the handshake everything
   * @throws RfbFault when it is no RFB
   */
  push(chunk: Buffer): readonly Buffer[] {
    if (this.end !== undefined) return [chunk];
    const sent = this.#reader.push(chunk);
    if (this.#reader.result === undefined) return sent;
    const rest = this.#reader.takeRest();
    return rest.length === 0 ? sent : [...sent, rest];
  }
}

function* steps(handshake: RfbHandshake): Steps<HandshakeEnd> {
  const version = yield rfbVersion.length;
  if (!isVersion(version)) throw new RfbFault('the VM does not speak RFB 3.8 there');
  handshake.greeted = true;
  yield { send: rfbVersion };
  const count = yield 1;
  if (count[0] === 0) {
    yield { send: count };
    yield* reason();
    return 'refused';
  }
  const kinds = [...new Set(yield count[0] ?? 0)].filter(
    (kind) => kind === security.none || kind === security.password,
  );
  if (kinds.length === 0) throw new RfbFault('the security of the display is one that the gateway cannot follow');
  handshake.offered = new Set(kinds);
  yield { send: Buffer.of(kinds.length, ...kinds) };
  const first = yield 1;
  if (handshake.chosen === undefined) throw new RfbFault('the VM spoke before its turn');
  if (handshake.chosen === security.password) yield { send: Buffer.concat([first, yield 15]) };
  const result = handshake.chosen === security.password ? yield 4 : Buffer.concat([first, yield 3]);
  yield { send: result };
  if (result.readUInt32BE() !== 0) {
    yield* reason();
    return 'refused';
  }
  const init = yield initBytes;
  yield { send: init };
  yield { send: yield textLength(init.readUInt32BE(initBytes - 4)) };
  return 'screen';
}

function* reason(): Steps<void> {
  const length = yield 4;
  yield { send: length };
  yield { send: yield textLength(length.readUInt32BE()) };
}
