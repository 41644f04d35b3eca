import { dialectOf, type KnownDialect } from './dialects/dialects.js';
import type { Greeting } from './greeting.js';
import type { Opening, OpeningFailure, OpeningSession } from './opening.js';
import { serverBounds } from './server-bounds.js';

/** First bytes of other protocols that may answer on the socket. */
const otherProtocols: readonly { readonly pattern: RegExp; readonly name: string }[] = [
  { pattern: /^\xff[\xfb-\xfe]/, name: 'telnet: the chardev has telnet=on' },
  {
    pattern: /^(?:\x1b\[[0-9;]*[A-Za-z])*QEMU .* monitor - type 'help'/,
    name: 'the human monitor (HMP): use mode=control',
  },
  { pattern: /^\{$/, name: 'pretty-printed QMP: use pretty=off' },
  { pattern: /^\xff\{/, name: 'the guest agent' },
  { pattern: /^RFB [0-9]{3}\./, name: 'VNC' },
  { pattern: /^SSH-/, name: 'SSH' },
  { pattern: /^HTTP\//, name: 'HTTP' },
];

/** Lines of garbage to tolerate before a greeting: the truncated reply to a former client is one. */
const toleratedLines = 100;

const sampleLength = 80;

/**
 * Greeting, then `qmp_capabilities`. Events, replies to a former client, and the tail of such a reply may arrive before
 * and between them: QEMU broadcasts to a monitor until its new session is set up, and writes out pending output.
 */
export class GreetingOpening implements Opening {
  readonly #session: OpeningSession;
  #dialect: KnownDialect;
  readonly #detect: boolean;
  readonly #tls: boolean;
  #greeting: Greeting | null = null;
  #garbage = 0;
  #sample = '';

  /** @param detect whether the greeting decides the dialect. */
  constructor(session: OpeningSession, dialect: KnownDialect, detect: boolean, tls: boolean) {
    this.#session = session;
    this.#dialect = dialect;
    this.#detect = detect;
    this.#tls = tls;
  }

  begin(): void {
    // The server speaks first.
  }

  claim(line: Buffer, start: number, end: number): boolean {
    if (this.#greeting !== null) return false;
    const head = line.toString('latin1', start, Math.min(end, start + sampleLength));
    const other = otherProtocols.find(({ pattern }) => pattern.test(head));
    if (other === undefined) return false;
    this.#session.fail({ code: 'wrong-protocol', detail: `not QMP but ${other.name}` });
    return true;
  }

  greeted(greeting: Greeting): void {
    if (this.#greeting !== null) return;
    this.#greeting = greeting;
    const chosen = this.#detect ? dialectOf(greeting) : undefined;
    if (chosen !== undefined) {
      this.#dialect = chosen;
      this.#session.useDialect(chosen);
    }
    const capabilities = this.#dialect.capabilities(greeting);
    this.#session.request({
      command: 'qmp_capabilities',
      answerBytes: serverBounds.ownAnswer.most,
      ...(capabilities === undefined ? {} : { argumentsJson: capabilities }),
      settle: (settlement) => {
        if (settlement.kind === 'return') this.#session.opened(greeting, capabilities !== undefined);
        else if (settlement.kind === 'error') {
          this.#session.fail({ code: 'negotiation-refused', detail: `${settlement.class}: ${settlement.desc}` });
        }
      },
    });
  }

  unintelligible(line: Buffer, start: number, end: number): void {
    this.#garbage++;
    if (this.#garbage === 1) this.#sample = line.toString('latin1', start, Math.min(end, start + sampleLength));
    if (this.#garbage > toleratedLines) this.#session.fail(this.#notQmp());
  }

  timedOut(): OpeningFailure {
    if (this.#greeting !== null) {
      return {
        code: 'no-capabilities-reply',
        detail: 'greeted, but did not answer qmp_capabilities: stopped, or its main loop is blocked',
      };
    }
    if (this.#garbage > 0) return this.#notQmp();
    const others = this.#tls ? '' : ', or this is a TLS or guest agent socket';
    return { code: 'no-greeting', detail: `connected, but no greeting: another client holds the monitor${others}` };
  }

  closed(): OpeningFailure {
    if (this.#greeting !== null) return { code: 'connection-lost', detail: 'closed during capabilities negotiation' };
    if (!this.#tls) return { code: 'closed-before-greeting', detail: 'closed before the greeting' };
    return {
      code: 'tls-closed-before-greeting',
      detail: 'closed before the greeting: the server probably refused the client certificate, or requires one',
    };
  }

  #notQmp(): OpeningFailure {
    return { code: 'wrong-protocol', detail: `not QMP: it sent ${JSON.stringify(this.#sample)}` };
  }
}
