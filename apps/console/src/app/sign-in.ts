import { GatewayClient, GatewayProblem } from '@qmp-gateway/client';
import { GatewaySession } from '../api/gateway-session.js';
import { Signal } from '../api/signal.js';
import { gatewayUrl } from './gateway-url.js';
import { takeCode } from './sign-in-code.js';

export type SignInState =
  | { readonly kind: 'checking' }
  /** `why`: what went wrong, for the reader; absent at the first look. */
  | { readonly kind: 'signed-out'; readonly why?: string | undefined }
  | { readonly kind: 'signed-in'; readonly session: GatewaySession };

const tokenKey = 'qmpgw.token';

/**
 * Who is signed in. The token is kept in this tab alone (`sessionStorage`) and never in an address; a one-time code in the
 * address is exchanged for a token and taken out of it before anything else happens.
 */
export class SignIn {
  readonly changed = new Signal();
  state: SignInState = { kind: 'checking' };

  /** Looks for a way in: a code in the address, the token of this tab, or a gateway that asks for none. */
  async begin(): Promise<void> {
    const code = takeCode(location, history);
    const kept = sessionStorage.getItem(tokenKey) ?? undefined;
    // A link that was followed before leads whoever is signed in to where it leads.
    if (code !== undefined && ((await this.#exchange(code)) || kept === undefined)) return;
    try {
      await this.#enter(kept);
    } catch (error) {
      sessionStorage.removeItem(tokenKey);
      const isFirstLook = kept === undefined && error instanceof GatewayProblem && error.status === 401;
      this.#becomes({ kind: 'signed-out', why: isFirstLook ? undefined : whyNot(error) });
    }
  }

  /** Never rejects: what went wrong is in `state`. */
  async signIn(token: string): Promise<void> {
    this.#becomes({ kind: 'checking' });
    try {
      await this.#enter(token);
      sessionStorage.setItem(tokenKey, token);
    } catch (error) {
      this.#becomes({ kind: 'signed-out', why: whyNot(error) });
    }
  }

  /** Forgets everything of this principal. @param why absent when the reader asked for it */
  signOut(why?: string): void {
    sessionStorage.removeItem(tokenKey);
    this.#becomes({ kind: 'signed-out', why });
  }

  /** @returns whether somebody is signed in now */
  async #exchange(code: string): Promise<boolean> {
    try {
      const { token } = await new GatewayClient({ url: gatewayUrl, token: code }).signIn();
      await this.signIn(token);
      return true;
    } catch (error) {
      const why =
        error instanceof GatewayProblem ? 'The link was used before, or is older than a minute.' : whyNot(error);
      this.#becomes({ kind: 'signed-out', why });
      return false;
    }
  }

  async #enter(token: string | undefined): Promise<void> {
    const grant = await new GatewayClient({ url: gatewayUrl, token }).access();
    this.#becomes({ kind: 'signed-in', session: new GatewaySession(gatewayUrl, grant, token) });
  }

  #becomes(state: SignInState): void {
    if (this.state.kind === 'signed-in') this.state.session.close();
    this.state = state;
    this.changed.tell();
  }
}

function whyNot(error: unknown): string {
  if (error instanceof GatewayProblem) return error.detail ?? error.code;
  return `The gateway does not answer: ${error instanceof Error ? error.message : String(error)}`;
}
