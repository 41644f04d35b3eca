import type { VmClient, WebSocketLike } from '@qmp-gateway/client';
import type RFB from '@novnc/novnc';
import { Signal } from '../../api/signal.js';
import type { Combination } from './keys.js';

/** How a live screen stands. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** Somebody else types: the reader looks. */
  | { readonly kind: 'looks'; readonly why: string }
  /** It comes back by itself. */
  | { readonly kind: 'lost'; readonly why: string }
  /** It ended for good. */
  | { readonly kind: 'ended'; readonly why: string }
  | { readonly kind: 'asks-password' };

export interface LinkOptions {
  readonly view: boolean;
  readonly take: boolean;
}

const takenOver = 4409;
const credentialsGone = 4401;
const policy = 1008;
const againMs = 1_000;

/** A live screen: noVNC over the gateway, which comes back after a loss. */
export class RfbLink {
  readonly changed = new Signal();
  state: LinkState = { kind: 'connecting' };
  #rfb: RFB | undefined;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #scale = true;
  /** Who types in place of the reader, in words. */
  #whyLooking: string | undefined;

  constructor(
    private readonly vm: VmClient,
    private readonly display: string,
    private readonly target: HTMLElement,
    private readonly options: LinkOptions,
  ) {
    void this.#connect();
  }

  /** True: as large as there is room; false: as large as the guest draws it. */
  set scale(scale: boolean) {
    this.#scale = scale;
    if (this.#rfb !== undefined) {
      this.#rfb.scaleViewport = scale;
      this.#rfb.clipViewport = !scale;
    }
  }

  press({ keys }: Combination): void {
    for (const { keysym, code } of keys) this.#rfb?.sendKey(keysym, code, true);
    for (const { keysym, code } of [...keys].reverse()) this.#rfb?.sendKey(keysym, code, false);
    this.#rfb?.focus();
  }

  /** The password that QEMU asks for; it passes through the gateway. */
  answer(password: string): void {
    this.#rfb?.sendCredentials({ password });
    this.#becomes({ kind: 'connecting' });
  }

  focus(): void {
    this.#rfb?.focus();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#rfb?.disconnect();
  }

  async #connect(): Promise<void> {
    try {
      // First its code: the first bytes of the display come at once, and must find somebody who takes them.
      const { default: Rfb } = await import('@novnc/novnc');
      const options = this.#whyLooking === undefined ? this.options : { view: true, take: false };
      const socket = await this.vm.display(this.display).connect(options);
      if (this.#isClosed) {
        socket.close();
        return;
      }
      this.#open(Rfb, socket);
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  #open(Rfb: typeof RFB, socket: WebSocketLike): void {
    let ending: LinkState | undefined;
    // Before noVNC listens, which tells of the end as soon as it hears it.
    socket.addEventListener('close', (event) => {
      ending ??= stateAfterClose(event);
    });
    const rfb = new Rfb(this.target, socket, { shared: true });
    this.#rfb = rfb;
    rfb.viewOnly = this.options.view || this.#whyLooking !== undefined;
    rfb.background = 'transparent';
    this.scale = this.#scale;
    rfb.addEventListener('connect', () =>
      this.#becomes(this.#whyLooking === undefined ? { kind: 'open' } : { kind: 'looks', why: this.#whyLooking }),
    );
    rfb.addEventListener('credentialsrequired', () => this.#becomes({ kind: 'asks-password' }));
    rfb.addEventListener('securityfailure', ({ detail }) => {
      // QEMU's reason ends with the zero of a text in C.
      const reason = detail.reason?.replaceAll('\0', '') ?? 'no reason given';
      ending = { kind: 'ended', why: `The VM refused the password: ${reason}.` };
    });
    rfb.addEventListener('disconnect', () => {
      if (this.#rfb === rfb) this.#rfb = undefined;
      if (this.#isClosed) return;
      if (ending?.kind === 'ended') this.#becomes(ending);
      else if (ending?.kind === 'looks') this.#look(ending.why);
      else this.#lost(ending?.kind === 'lost' ? ending.why : 'The connection was lost.');
    });
  }

  /** Somebody else types: the screen is still worth a look. */
  #look(why: string): void {
    this.#whyLooking = why;
    void this.#connect();
  }

  #lost(why: string): void {
    if (this.#isClosed) return;
    this.#becomes({ kind: 'lost', why });
    this.#timer = setTimeout(() => void this.#connect(), againMs);
  }

  #becomes(state: LinkState): void {
    this.state = state;
    this.changed.tell();
  }
}

/** What the close of the WebSocket means. */
export function stateAfterClose({ code = 1006, reason = '' }: { code?: number; reason?: string }): LinkState {
  if (code === takenOver) return { kind: 'looks', why: reason.split(':')[0] ?? '' };
  if (code === credentialsGone || code === policy) return { kind: 'ended', why: reason };
  return { kind: 'lost', why: reason === '' ? 'The connection was lost.' : reason };
}
