import { Problem } from '../problems/problem.js';
import type { RequestMark } from '../listeners/request-context.js';
import { parseDuration } from '../settings/duration.js';
import type { AuditLog } from './audit-log.js';
import { excess, narrowedCommands } from './grant.js';
import type { CommandGlobs, Grant, Principal } from './principal.js';
import type { TokenRequest } from './token-request.js';
import { tokenPrincipalId, type TokenRecord, type TokenStore } from './token-store.js';

/** A token as its readers see it: everything but the secret. */
export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly level: string;
  readonly vms: readonly string[];
  /** Only when it has rules of its own. */
  readonly commands?: CommandGlobs;
  /** Only when it may register VMs. */
  readonly endpoints?: readonly string[];
  readonly created: string;
  readonly expires: string | null;
  /** Principal that made it; null for the command line and the first start. */
  readonly owner: string | null;
}

/**
 * Making, listing and revoking tokens (DESIGN section 11): level `host` manages all of them, others their own, which are
 * the one they came with and those they made. Nobody makes one that can do more, or see more VMs, than they.
 */
export class TokenAdministration {
  constructor(
    private readonly tokens: TokenStore,
    private readonly audit: AuditLog,
    private readonly now: () => number = Date.now,
  ) {}

  list(principal: Principal): TokenView[] {
    return this.tokens
      .list()
      .filter((record) => manages(principal, record))
      .map(viewOf);
  }

  /**
   * @returns the token itself, shown this once, and what it may do
   * @throws Problem `forbidden` for more than the maker has, `audit-unavailable`
   */
  create(principal: Principal, mark: RequestMark | undefined, wanted: TokenRequest): TokenView & { token: string } {
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
      ...(name === undefined ? {} : { name }),
      ...(expires === Infinity ? {} : { expires: new Date(expires) }),
    });
    const { operatorEndpoints: _, ...told } = given;
    const details = { token: record.id, ...told, expires: record.expires ?? null };
    this.audit.change(principal, mark, 'token-created', details);
    return { ...viewOf(record), token };
  }

  /**
   * @throws Problem `route-not-found`, alike for tokens that don't exist and those the principal does not manage;
   *   `audit-unavailable`
   */
  revoke(principal: Principal, mark: RequestMark | undefined, id: string): void {
    const record = this.tokens.get(id);
    if (record === undefined || !manages(principal, record)) throw noSuchToken();
    this.audit.requireWritable();
    if (!this.tokens.revoke(id)) throw noSuchToken();
    this.audit.change(principal, mark, 'token-revoked', { token: id });
  }

  #expiry(principal: Principal, life: string | undefined): number {
    const expires = life === undefined ? Infinity : this.now() + (parseDuration(life) ?? 0);
    if (expires <= principal.expires || principal.reaches('host')) return expires;
    if (life === undefined) return principal.expires;
    const end = new Date(principal.expires).toISOString();
    throw new Problem('forbidden', `The token would outlive its maker, whose credentials expire at ${end}.`);
  }
}

/** Who has level host is the operator here. */
function operatorsOwn(maker: Principal, endpoints: readonly string[]): readonly string[] {
  return maker.reaches('host') ? endpoints : (maker.grant.operatorEndpoints ?? []);
}

function noSuchToken(): Problem {
  return new Problem('route-not-found', 'There is no token of this id, or it is not yours.');
}

function manages(principal: Principal, { id, owner }: TokenRecord): boolean {
  return principal.reaches('host') || owner === principal.id || tokenPrincipalId(id) === principal.id;
}

function viewOf({ id, name, level, vms, commands, endpoints, created, expires, owner }: TokenRecord): TokenView {
  return {
    ...{ id, name, level, vms },
    ...(commands === undefined ? {} : { commands }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...{ created, expires: expires ?? null, owner: owner ?? null },
  };
}
