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
  readonly #certificates: ClientCertificates;
  readonly #sources: { -readonly [Key in keyof CredentialSources]: CredentialSources[Key] };
  #limiter: RequestLimiter | undefined;

  /** @throws SettingsError for a key file that can't be used */
  constructor(
    private readonly settings: Settings,
    tokens: TokenStore,
    private readonly trouble: (message: string) => void,
  ) {
    this.rules = settings;
    this.#certificates = new ClientCertificates(settings.clientCertificates);
    this.#sources = { sessions: this.sessions, certificates: this.#certificates };
    this.authenticator = new Authenticator(settings, tokens, this.#sources);
    this.#replaceJwt();
    this.#replaceLimiter();
  }

  /** Only when there is a limit. */
  get limiter(): RequestLimiter | undefined {
    return this.#limiter;
  }

  /**
   * Takes over what of the settings has changed, as paths, and reads key files anew.
   * @throws SettingsError for a key file; what was read before stays in use then
   */
  reload(changed: readonly string[]): void {
    const has = (key: string) => changed.some((path) => path === key || path.startsWith(`${key}.`));
    if (has('clientCertificates')) this.#certificates.replace(this.settings.clientCertificates);
    if (has('limits.requestsPerSecond')) this.#replaceLimiter();
    if (has('jwt')) this.#replaceJwt();
    else this.#sources.jwt?.reload();
  }

  #replaceJwt(): void {
    const { jwt } = this.settings;
    const before = this.#sources.jwt;
    if (jwt === undefined) delete this.#sources.jwt;
    else this.#sources.jwt = new JwtVerifier({ ...jwt }, Date.now, this.trouble);
    before?.withdraw();
  }

  #replaceLimiter(): void {
    const { requestsPerSecond } = this.settings.limits;
    this.#limiter = requestsPerSecond > 0 ? new RequestLimiter(requestsPerSecond) : undefined;
  }
}
