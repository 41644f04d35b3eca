import type { Dialect } from './dialects/dialect.js';
import { isStratovirt, stratovirt } from './dialects/stratovirt.js';
import type { Opening, OpeningFault, OpeningSession } from './opening.js';
import { serverBounds } from './server-bounds.js';
import type { Greeting } from './session-info.js';

/** First bytes of what else may answer on a socket taken for QMP. */
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

/** Lines of garbage tolerated before a greeting: the cut-off reply to a former client is one. */
const toleratedLines = 100;

const sampleLength = 80;

/**
 * Greeting, then `qmp_capabilities`. Events, replies to a former client, and the tail of such a reply may come before
 * and between: QEMU broadcasts to a monitor until its new session is set up, and writes what it has left.
 */
export class GreetingOpening implements Opening {
  readonly #session: OpeningSession;
  #dialect: Dialect;
  readonly #detect: boolean;
  readonly #tls: boolean;
  #greeting: Greeting | null = null;
  #garbage = 0;
  #sample = '';

  /** @param detect whether the greeting decides on the dialect. */
  constructor(session: OpeningSession, dialect: Dialect, detect: boolean, tls: boolean) {
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
    if (this.#detect && isStratovirt(greeting)) {
      this.#dialect = stratovirt;
      this.#session.useDialect(stratovirt);
    }
    const capabilities = this.#dialect.capabilities(greeting);
    this.#session.request({
      command: 'qmp_capabilities',
      answerBytes: serverBounds.ownAnswer.most,
      ...(capabilities === undefined ? {} : { argumentsJson: capabilities }),
      settle: (outcome) => {
        if (outcome.kind === 'return') this.#session.opened(greeting, capabilities !== undefined);
        else if (outcome.kind === 'error') {
          this.#session.fail({ code: 'negotiation-refused', detail: `${outcome.class}: ${outcome.desc}` });
        }
      },
    });
  }

  unintelligible(line: Buffer, start: number, end: number): void {
    this.#garbage++;
    if (this.#garbage === 1) this.#sample = line.toString('latin1', start, Math.min(end, start + sampleLength));
    if (this.#garbage > toleratedLines) this.#session.fail(this.#notQmp());
  }

  timedOut(): OpeningFault {
    if (this.#greeting !== null) {
      return {
        code: 'no-capabilities-reply',
        detail: 'greeted, but did not answer qmp_capabilities: stopped, or its main loop is blocked',
      };
    }
    if (this.#garbage > 0) return this.#notQmp();
    const others = this.#tls ? '' : ', or this is a TLS or guest agent socket';
    return { code: 'no-greeting', detail: `connected, but not greeted: another client holds the monitor${others}` };
  }

  closed(): OpeningFault {
    if (this.#greeting !== null) return { code: 'connection-lost', detail: 'closed during capabilities negotiation' };
    if (!this.#tls) return { code: 'closed-before-greeting', detail: 'closed before the greeting' };
    return {
      code: 'tls-closed-before-greeting',
      detail: 'closed before the greeting: the server probably refused our client certificate, or wants one',
    };
  }

  #notQmp(): OpeningFault {
    return { code: 'wrong-protocol', detail: `not QMP: it sent ${JSON.stringify(this.#sample)}` };
  }
}
