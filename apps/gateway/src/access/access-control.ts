import type { Settings } from '../settings/settings.js';
import { Authenticator, type CredentialSources } from './authenticator.js';
import { ClientCertificates } from './client-certificates.js';
import type { BrowserRules } from './front-door.js';
import { JwtVerifier } from './jwt-verifier.js';
import { LoginBackOff } from './login-back-off.js';
import { RequestLimiter } from './request-limiter.js';
import { SessionStore } from './session-store.js';
import type { TokenStore } from './token-store.js';

/** What every request passes on its way in, put together as the settings have it. */
export class AccessControl {
  readonly rules: BrowserRules;
  readonly sessions = new SessionStore();
  readonly backOff = new LoginBackOff();
  readonly authenticator: Authenticator;
  /** Only when there is a limit. */
  readonly limiter?: RequestLimiter;
  readonly #jwt: JwtVerifier | undefined;

  /** @throws SettingsError for a key file that can't be used */
  constructor(settings: Settings, tokens: TokenStore, trouble: (message: string) => void) {
    this.rules = settings;
    const { jwt, clientCertificates, limits } = settings;
    this.#jwt = jwt === undefined ? undefined : new JwtVerifier(jwt, Date.now, trouble);
    const sources: CredentialSources = {
      sessions: this.sessions,
      certificates: new ClientCertificates(clientCertificates),
      ...(this.#jwt === undefined ? {} : { jwt: this.#jwt }),
    };
    this.authenticator = new Authenticator(settings, tokens, sources);
    if (limits.requestsPerSecond > 0) this.limiter = new RequestLimiter(limits.requestsPerSecond);
  }

  /** Reads key files anew. @throws SettingsError; what was read before stays in use then */
  reload(): void {
    this.#jwt?.reload();
  }
}
