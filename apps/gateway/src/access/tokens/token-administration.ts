import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { Problem } from '../../problems/problem.js';
import type { RequestMark } from '../../http/request-context.js';
import { parseDuration } from '../../settings/duration.js';
import type { AuditLog } from '../audit/audit-log.js';
import { grantsHostWithoutToken, type CredentialSettings } from '../credentials/host-without-token.js';
import { excess, narrowedCommands } from '../grant.js';
import type { Grant, Principal } from '../principal.js';
import type { TokenRequest, TokenShape } from './token-shapes.js';
import { tokenPrincipalId, type TokenRecord, type TokenStore } from './token-store.js';

/** What tokens are called that somebody got by signing in to the console. */
const signInName = 'console';
const signInMs = 12 * 3_600_000;
/**
 * Tokens that come of one principal below level `host`, those that its tokens make included: every new one costs a write of
 * all.
 */
const mostOfFamily = 500;

/**
 * Making, listing and revoking tokens: level `host` manages all of them, others their own, which are
 * the one they came with and those they made. Nobody makes one that can do more, or see more VMs, than they.
 */
export class TokenAdministration {
  constructor(
    private readonly tokens: TokenStore,
    private readonly audit: AuditLog,
    private readonly settings: CredentialSettings,
    private readonly clock: Clock = systemClock,
  ) {}

  list(principal: Principal): TokenShape[] {
    return this.tokens
      .list()
      .filter((record) => manages(principal, record))
      .map(tokenView);
  }

  /**
   * @returns the token itself, shown only this once, and what it may do
   * @throws Problem `forbidden` for more than the maker has, `too-many-requests`, `audit-unavailable`
   */
  create(principal: Principal, mark: RequestMark | undefined, wanted: TokenRequest): TokenShape & { token: string } {
    this.audit.requireWritable();
    const { grant } = principal;
    const { name, level, vms = grant.vms, endpoints } = wanted;
    const commands = narrowedCommands(grant.commands, wanted.commands);
    const given: Grant = {
      ...{ level, vms },
      ...(commands === undefined ? {} : { commands }),
      ...(endpoints === undefined ? {} : { endpoints, operatorEndpoints: operatorsOwn(principal, endpoints) }),
    };
    const tooMuch = excess(grant, given);
    if (tooMuch !== undefined) throw new Problem('forbidden', `The token would be more than its maker: ${tooMuch}.`);
    const expires = this.#expiry(principal, wanted.expires);
    const { token, record } = this.tokens.create({
      ...given,
      owner: principal.id,
      family: this.#familyWithRoom(principal),
      ...(name === undefined ? {} : { name }),
      ...(expires === Infinity ? {} : { expires: new Date(expires) }),
    });
    const { operatorEndpoints: _, ...recorded } = given;
    const details = { token: record.id, ...recorded, expires: record.expires ?? null };
    this.audit.change(principal, mark, 'token-created', details);
    return Object.assign(tokenView(record), { token });
  }

  /**
   * Makes the token of somebody who signs in with a one-time code: of the same grant, for a working day. Those of the same
   * principal that have expired go, so that signing in often leaves nothing behind.
   * @throws Problem `too-many-requests`, `audit-unavailable`
   */
  signIn(principal: Principal, mark: RequestMark | undefined): TokenShape & { token: string } {
    this.audit.requireWritable();
    const now = this.clock.wall();
    const former = this.tokens.list().filter(({ name, owner }) => name === signInName && owner === principal.id);
    this.#removeExpired(former);
    const expires = new Date(Math.min(now + signInMs, principal.expires));
    const { token, record } = this.tokens.create({
      ...principal.grant,
      owner: principal.id,
      family: this.#familyWithRoom(principal),
      name: signInName,
      expires,
    });
    const { operatorEndpoints: _, ...recorded } = principal.grant;
    const details = { token: record.id, ...recorded, expires: record.expires ?? null };
    this.audit.change(principal, mark, 'token-created', details);
    return Object.assign(tokenView(record), { token });
  }

  /**
   * @throws Problem `route-not-found`, the same for tokens that do not exist and those that the principal does not
   * manage; `audit-unavailable`; `last-credentials` for the token without which nobody could manage the gateway: only
   * the command line, which needs no credentials, may revoke it
   */
  revoke(principal: Principal, mark: RequestMark | undefined, id: string): void {
    const record = this.tokens.get(id);
    if (record === undefined || !manages(principal, record)) throw noSuchToken();
    this.audit.requireWritable();
    if (this.#isLastOfLevelHost(id))
      throw new Problem(
        'last-credentials',
        'Without this token, nobody would have level host: create another one first, or revoke it with `qmp-gateway token revoke`.',
      );
    if (!this.tokens.revoke(id)) throw noSuchToken();
    this.audit.change(principal, mark, 'token-revoked', { token: id });
  }

  #isLastOfLevelHost(id: string): boolean {
    const now = this.clock.wall();
    const hosts = this.tokens
      .list()
      .filter(({ level, expires }) => level === 'host' && (expires === undefined || Date.parse(expires) > now));
    return hosts.length === 1 && hosts[0]?.id === id && !grantsHostWithoutToken(this.settings);
  }

  /** @returns undefined for whoever has level `host`, which may fill the disk in other ways */
  #familyWithRoom(principal: Principal): string | undefined {
    if (principal.reaches('host')) return undefined;
    const all = this.tokens.list();
    const family = all.find(({ id }) => tokenPrincipalId(id) === principal.id)?.family ?? principal.id;
    const members = all.filter((record) => record.family === family);
    if (members.length < mostOfFamily || members.length - this.#removeExpired(members) < mostOfFamily) return family;
    throw new Problem(
      'too-many-requests',
      `${mostOfFamily} tokens came of these credentials, and of the tokens that they made: revoke some first.`,
    );
  }

  /** @returns how many there were */
  #removeExpired(records: readonly TokenRecord[]): number {
    const now = this.clock.wall();
    const over = records.filter(({ expires }) => expires !== undefined && Date.parse(expires) <= now);
    return this.tokens.revokeAll(over.map(({ id }) => id));
  }

  #expiry(principal: Principal, life: string | undefined): number {
    const expires = life === undefined ? Infinity : this.clock.wall() + (parseDuration(life) ?? 0);
    if (expires <= principal.expires || principal.reaches('host')) return expires;
    if (life === undefined) return principal.expires;
    const end = new Date(principal.expires).toISOString();
    throw new Problem('forbidden', `The token would outlive its maker, whose credentials expire at ${end}.`);
  }
}

/** A principal with level host counts as the operator here. */
function operatorsOwn(maker: Principal, endpoints: readonly string[]): readonly string[] {
  return maker.reaches('host') ? endpoints : (maker.grant.operatorEndpoints ?? []);
}

function noSuchToken(): Problem {
  return new Problem(
    'route-not-found',
    'No token has this id, or it is not yours: GET /v1/tokens lists those you may revoke.',
  );
}

function manages(principal: Principal, { id, owner }: TokenRecord): boolean {
  return principal.reaches('host') || owner === principal.id || tokenPrincipalId(id) === principal.id;
}

function tokenView({ id, name, level, vms, commands, endpoints, created, expires, owner }: TokenRecord): TokenShape {
  return {
    ...{ id, name, level, vms },
    ...(commands === undefined ? {} : { commands }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...{ created, expires: expires ?? null, owner: owner ?? null },
  };
}
