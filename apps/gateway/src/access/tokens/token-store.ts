import { ownBytes, systemClock, type Clock } from '@qmp-gateway/qmp';
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { SettingsError } from '../../settings/load-settings.js';
import type { StateDirectory } from '../../state/state-directory.js';
import { levels, Principal, type Grant, type Level } from '../principal.js';

/** The stored record of a token. Only the SHA-256 of the secret is stored. */
export interface TokenRecord extends Grant {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly created: string;
  /** RFC 3339; absent: does not expire. */
  readonly expires?: string;
  /** Principal that made it; absent for the command line. */
  readonly owner?: string;
  /** Of one that somebody below level `host` made: the principal that the chain of makers began with. */
  readonly family?: string;
}

export interface NewToken extends Grant {
  readonly name?: string;
  readonly expires?: Date;
  readonly owner?: string;
  readonly family?: string | undefined;
}

/** The principal of a token; `owner` of what it makes. */
export function tokenPrincipalId(id: string): string {
  return `token:${id}`;
}

const fileName = 'tokens.json';
/** Ids of revoked tokens that are remembered at most; a fleet takes them over within a second where it is there. */
const mostRevoked = 10_000;
/** Stands in for the hash of an unknown token, so that the answer takes as long. */
const noHash = Buffer.alloc(32);
const tokenPattern = /^qmpgw_([a-z0-9]{1,64})_([A-Za-z0-9_-]{20,100})$/;
const reloadEveryMs = 1000;
/** The secret of the current request; the pattern allows 100 characters, all of one byte. */
const presented = Buffer.alloc(100);

/** The last valid token of a connection. */
interface ShownToken {
  readonly token: string;
  readonly principal: Principal;
  /** The records that it was valid with. */
  readonly records: ReadonlyMap<string, TokenRecord>;
}

/** Hears, once for each such file, that it can't be understood any more: what was read before stays in use. */
export interface TokenFileObserver {
  tokensUnreadable(error: string): void;
}

/** What other nodes of a fleet say. */
export interface TokenNews {
  readonly added: readonly TokenRecord[];
  /** Ids of tokens that were revoked there. */
  readonly revoked: readonly string[];
  /** Ids of tokens revoked here that the others know of now. */
  readonly told: readonly string[];
}

interface VerifiedSecret {
  readonly record: TokenRecord;
  readonly bytes: Buffer;
}

/**
 * The tokens of the state directory. The command line writes the same file, so the store reads it again on an unknown
 * id and, once a second, if the file has changed: tokens made or revoked there take effect in the running gateway at
 * once.
 */
export class TokenStore {
  readonly #state: StateDirectory;
  readonly #clock: Clock;
  #records = new Map<string, TokenRecord>();
  /** Revoked here, and not told to a fleet yet; the oldest first. */
  #revoked = new Set<string>();
  #principals = new Map<string, Principal>();
  readonly #verified = new Map<string, VerifiedSecret>();
  readonly #shown = new WeakMap<object, ShownToken>();
  #stamp = '';
  /** State of a file that cannot be parsed. */
  #damagedStamp: string | undefined;
  #checkedAt = -Infinity;

  /** @throws SettingsError naming the file if it exists but cannot be parsed. */
  constructor(
    state: StateDirectory,
    clock: Clock = systemClock,
    private readonly observer?: TokenFileObserver,
  ) {
    this.#state = state;
    this.#clock = clock;
    this.#reload();
  }

  /** Reads the file as it is now. @throws SettingsError; what was read before stays in use then */
  reload(): void {
    this.#reload();
  }

  /** All tokens, expired ones too, oldest first. */
  list(): TokenRecord[] {
    this.#reload();
    return [...this.#records.values()];
  }

  get(id: string): TokenRecord | undefined {
    this.#reloadIfChanged(!this.#records.has(id));
    return this.#records.get(id);
  }

  /**
   * @param handOver gets the token before it is kept; when it throws, none is made
   * @returns the token itself, which cannot be retrieved again, and its record
   */
  create(wanted: NewToken, handOver?: (token: string) => void): { token: string; record: TokenRecord } {
    return this.#state.exclusively(fileName, () => this.#create(wanted, handOver));
  }

  #create(
    wanted: NewToken,
    handOver: (token: string) => void = () => undefined,
  ): { token: string; record: TokenRecord } {
    this.#reload();
    const id = randomBytes(8).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const record: TokenRecord = {
      id,
      name: wanted.name ?? id,
      sha256: hash('sha256', secret, 'hex'),
      level: wanted.level,
      vms: wanted.vms,
      created: new Date(this.#clock.wall()).toISOString(),
      ...(wanted.commands === undefined ? {} : { commands: wanted.commands }),
      ...(wanted.endpoints === undefined ? {} : { endpoints: wanted.endpoints }),
      ...(wanted.operatorEndpoints === undefined ? {} : { operatorEndpoints: wanted.operatorEndpoints }),
      ...(wanted.expires === undefined ? {} : { expires: wanted.expires.toISOString() }),
      ...(wanted.owner === undefined ? {} : { owner: wanted.owner }),
      ...(wanted.family === undefined ? {} : { family: wanted.family }),
    };
    const token = `qmpgw_${id}_${secret}`;
    handOver(token);
    this.#records.set(id, record);
    this.#save();
    return { token, record };
  }

  /** @returns false for an unknown id. */
  revoke(id: string): boolean {
    return this.revokeAll([id]) === 1;
  }

  /** Revokes many, and writes the file once. @returns how many of them were there */
  revokeAll(ids: readonly string[]): number {
    if (ids.length === 0) return 0;
    return this.#state.exclusively(fileName, () => {
      this.#reload();
      const there = ids.filter((id) => this.#records.delete(id));
      if (there.length === 0) return 0;
      for (const id of there) {
        this.#principals.delete(id);
        this.#verified.delete(id);
        this.#revoked.add(id);
      }
      for (const oldest of this.#revoked) {
        if (this.#revoked.size <= mostRevoked) break;
        this.#revoked.delete(oldest);
      }
      this.#save();
      return there.length;
    });
  }

  /** Another text whenever the file is another one. Looks at the file, and does not read it. */
  stamp(): string {
    return fileStamp(this.#state.file(fileName));
  }

  /** What this node says of tokens: those it has, and the ids of those that were revoked here. */
  share(): { readonly records: readonly TokenRecord[]; readonly revoked: readonly string[] } {
    return { records: this.list(), revoked: [...this.#revoked] };
  }

  /**
   * Takes in what other nodes say of tokens. Never brings back one that was revoked here.
   * @returns what changed: ids
   */
  take(news: TokenNews): { readonly added: readonly string[]; readonly removed: readonly string[] } {
    return this.#state.exclusively(fileName, () => {
      this.#reload();
      const added = news.added.filter(({ id }) => !this.#records.has(id) && !this.#revoked.has(id));
      const removed = news.revoked.filter((id) => this.#records.delete(id));
      const told = news.told.filter((id) => this.#revoked.delete(id));
      for (const record of added) this.#records.set(record.id, record);
      if (added.length + removed.length + told.length > 0) {
        this.#principals.clear();
        this.#verified.clear();
        // Connections that showed one of them look again.
        this.#records = new Map(this.#records);
        this.#save();
      }
      return { added: added.map(({ id }) => id), removed };
    });
  }

  /**
   * The principal of this token, or undefined: malformed, unknown, expired and wrong secrets are not distinguished.
   * @param connection that it came by, for which repeated tokens are looked up only once
   */
  authenticate(token: string, connection?: object): Principal | undefined {
    this.#reloadIfChanged(false);
    // Compared with what the same sender has sent before, so the time it takes reveals nothing.
    const before = connection === undefined ? undefined : this.#shown.get(connection);
    if (before?.token === token && before.records === this.#records && this.#lasts(before.principal))
      return before.principal;
    const principal = this.#holder(token);
    if (principal !== undefined && connection !== undefined)
      this.#shown.set(connection, { token, principal, records: this.#records });
    return principal;
  }

  /** Most tokens do, for ever, which is told without asking for the time. */
  #lasts({ expires }: Principal): boolean {
    return expires === Infinity || expires > this.#clock.wall();
  }

  #holder(token: string): Principal | undefined {
    const match = tokenPattern.exec(token);
    const id = match?.[1];
    const secret = match?.[2];
    if (id === undefined || secret === undefined) return undefined;
    if (!this.#records.has(id)) this.#reloadIfChanged(true);
    const record = this.#records.get(id);
    const right = this.#isSecretOf(record, secret);
    if (record === undefined || !right || !this.#isValid(id)) return undefined;
    return this.#principal(record);
  }

  /**
   * In constant time. A secret that was right once is remembered as long as its record: hashing costs ten times the
   * comparison.
   */
  #isSecretOf(record: TokenRecord | undefined, secret: string): boolean {
    const verified = record === undefined ? undefined : this.#verified.get(record.id);
    if (verified?.record === record && verified?.bytes.length === secret.length) {
      const shown = presented.subarray(0, presented.write(secret, 'latin1'));
      if (timingSafeEqual(shown, verified.bytes)) return true;
    }
    const right = timingSafeEqual(
      hash('sha256', secret, 'buffer'),
      record === undefined ? noHash : Buffer.from(record.sha256, 'hex'),
    );
    if (right && record !== undefined)
      this.#verified.set(record.id, { record, bytes: ownBytes(Buffer.from(secret, 'latin1')) });
    return right;
  }

  #principal(record: TokenRecord): Principal {
    let principal = this.#principals.get(record.id);
    if (principal === undefined) {
      const { level, vms, commands, endpoints } = record;
      // A token that was made before this was recorded: none of its globs is known to be the operator's.
      const { operatorEndpoints = record.owner === undefined ? endpoints : [] } = record;
      const grant: Grant = {
        level,
        vms,
        ...(commands === undefined ? {} : { commands }),
        ...(endpoints === undefined || operatorEndpoints === undefined ? {} : { endpoints, operatorEndpoints }),
      };
      const { id, sha256 } = record;
      const stillValid = () => {
        this.#reloadIfChanged(false);
        return this.#records.get(id)?.sha256 === sha256 && this.#isValid(id);
      };
      const expires = record.expires === undefined ? Infinity : Date.parse(record.expires);
      principal = new Principal(tokenPrincipalId(id), record.name, grant, { stillValid, expires });
      this.#principals.set(id, principal);
    }
    return principal;
  }

  #isValid(id: string): boolean {
    const record = this.#records.get(id);
    return record !== undefined && (record.expires === undefined || Date.parse(record.expires) > this.#clock.wall());
  }

  #reloadIfChanged(unknownId: boolean): void {
    const now = this.#clock.now();
    if (!unknownId && now - this.#checkedAt < reloadEveryMs) return;
    this.#checkedAt = now;
    const stamp = fileStamp(this.#state.file(fileName));
    if (stamp === this.#stamp || stamp === this.#damagedStamp) return;
    try {
      this.#reload();
    } catch (error) {
      this.#damagedStamp = stamp;
      this.observer?.tokensUnreadable((error as Error).message);
    }
  }

  #reload(): void {
    const stamp = fileStamp(this.#state.file(fileName));
    const text = this.#state.read(fileName);
    const { tokens, revoked } = parseTokens(text, this.#state.file(fileName));
    this.#records = new Map(tokens.map((record) => [record.id, record]));
    this.#revoked = new Set(revoked);
    this.#principals.clear();
    this.#verified.clear();
    this.#stamp = stamp;
  }

  #save(): void {
    const revoked = this.#revoked.size === 0 ? {} : { revoked: [...this.#revoked] };
    const content = { tokens: [...this.#records.values()], ...revoked };
    this.#state.write(fileName, `${JSON.stringify(content, null, 2)}\n`);
    this.#stamp = fileStamp(this.#state.file(fileName));
  }
}

function fileStamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}

/** Whether this is a record as the store writes it. */
export function isTokenRecord(value: unknown): value is TokenRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, sha256, level, vms, created } = value as Record<string, unknown>;
  return (
    isIn(/^[a-z0-9]{1,64}$/, id) &&
    isIn(/^[0-9a-f]{64}$/, sha256) &&
    typeof name === 'string' &&
    typeof created === 'string' &&
    levels.includes(level as Level) &&
    Array.isArray(vms)
  );
}

function isIn(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function parseTokens(
  text: string | undefined,
  path: string,
): { readonly tokens: readonly TokenRecord[]; readonly revoked: readonly string[] } {
  if (text === undefined) return { tokens: [], revoked: [] };
  try {
    const { tokens, revoked = [] } = JSON.parse(text) as { tokens: TokenRecord[]; revoked?: string[] };
    for (const token of tokens) {
      const { id, sha256, level, vms } = token;
      if (!/^[a-z0-9]+$/.test(id) || !/^[0-9a-f]{64}$/.test(sha256) || !levels.includes(level) || !Array.isArray(vms))
        throw new Error(`the entry of token ${JSON.stringify(id)} is damaged`);
    }
    return { tokens, revoked };
  } catch (error) {
    throw new SettingsError([`state: ${path} is not a token file: ${(error as Error).message}`]);
  }
}
