import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { Settings } from '../settings/settings.js';
import { Authenticator, type CredentialRoutes, type CredentialSources } from './credentials/authenticator.js';
import { ClientCertificates } from './credentials/client-certificates.js';
import type { BrowserRules } from './front-door.js';
import { JwtVerifier, type KeySetObserver } from './credentials/jwt-verifier.js';
import { LoginBackOff } from './credentials/login-back-off.js';
import { RequestLimiter } from './request-limiter.js';
import { CookieStore } from './credentials/cookie-store.js';
import { SignInCodes } from './credentials/sign-in-codes.js';
import type { TokenStore } from './tokens/token-store.js';

/** What access control is told, and what it asks. */
export interface AccessSurroundings {
  readonly observer: KeySetObserver;
  readonly routes: CredentialRoutes;
}

/** The checks that every request passes on its way in, as the settings configure them. */
export class AccessControl {
  readonly rules: BrowserRules;
  readonly cookies: CookieStore;
  readonly codes: SignInCodes;
  readonly backOff: LoginBackOff;
  readonly authenticator: Authenticator;
  readonly #certificates: ClientCertificates;
  readonly #sources: { -readonly [Key in keyof CredentialSources]: CredentialSources[Key] };
  #limiter: RequestLimiter | undefined;

  /** @throws SettingsError for a key file that cannot be used */
  constructor(
    private readonly settings: Settings,
    tokens: TokenStore,
    private readonly surroundings: AccessSurroundings,
    private readonly clock: Clock = systemClock,
  ) {
    this.cookies = new CookieStore(clock);
    this.codes = new SignInCodes(clock);
    this.backOff = new LoginBackOff(clock);
    this.rules = settings;
    this.#certificates = new ClientCertificates(settings.clientCertificates, clock);
    this.#sources = { cookies: this.cookies, codes: this.codes, certificates: this.#certificates };
    this.authenticator = new Authenticator(settings, tokens, this.#sources, surroundings.routes);
    this.#replaceJwt();
    this.#replaceLimiter();
  }

  /** Only if there is a limit. */
  get limiter(): RequestLimiter | undefined {
    return this.#limiter;
  }

  /**
   * Applies changed settings, given as paths, and reads key files again.
   * @throws SettingsError for a key file; the previous keys stay in use then
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
    else this.#sources.jwt = new JwtVerifier({ ...jwt }, this.clock, this.surroundings.observer);
    before?.withdraw();
  }

  #replaceLimiter(): void {
    const { requestsPerSecond } = this.settings.limits;
    this.#limiter = requestsPerSecond > 0 ? new RequestLimiter(requestsPerSecond, this.clock) : undefined;
  }
}
