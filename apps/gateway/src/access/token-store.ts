import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { SettingsError } from '../settings/load-settings.js';
import type { StateDirectory } from '../state/state-directory.js';
import { levels, Principal, type Grant } from './principal.js';

/** What is kept of a token. The secret itself is not: only its SHA-256. */
export interface TokenRecord extends Grant {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly created: string;
  /** RFC 3339; absent: does not expire. */
  readonly expires?: string;
  /** Principal that made it; absent for the command line. */
  readonly owner?: string;
}

export interface NewToken extends Grant {
  readonly name?: string;
  readonly expires?: Date;
  readonly owner?: string;
}

/** The principal that a token stands for; `owner` of what it makes. */
export function tokenPrincipalId(id: string): string {
  return `token:${id}`;
}

const fileName = 'tokens.json';
/** Compared with when there is no such token, so that the answer takes as long. */
const noHash = Buffer.alloc(32);
const tokenPattern = /^qmpgw_([a-z0-9]{1,64})_([A-Za-z0-9_-]{20,100})$/;
const reloadEveryMs = 1000;
/** The secret of the request at hand; the pattern allows 100 characters, all of one byte. */
const presented = Buffer.alloc(100);

/** What a connection showed last, and was right. */
interface ShownToken {
  readonly token: string;
  readonly principal: Principal;
  /** The records it was right by. */
  readonly records: ReadonlyMap<string, TokenRecord>;
}

interface VerifiedSecret {
  readonly record: TokenRecord;
  readonly bytes: Buffer;
}

/**
 * The tokens of the state directory. The command line writes the same file, so an unknown id and, once a second, a
 * changed file make it read again: tokens made or revoked there count in the running gateway at once.
 */
export class TokenStore {
  readonly #state: StateDirectory;
  readonly #now: () => number;
  #records = new Map<string, TokenRecord>();
  #principals = new Map<string, Principal>();
  readonly #verified = new Map<string, VerifiedSecret>();
  readonly #shown = new WeakMap<object, ShownToken>();
  #stamp = '';
  /** Of a file that can't be understood. */
  #damagedStamp: string | undefined;
  #checkedAt = -Infinity;

  /**
   * @param trouble told once of a file that can't be understood any more: what was read before stays in use
   * @throws SettingsError naming the file when it is there but can't be understood.
   */
  constructor(
    state: StateDirectory,
    now: () => number = Date.now,
    private readonly trouble: (message: string) => void = () => undefined,
  ) {
    this.#state = state;
    this.#now = now;
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

  /** @returns the token itself, which nobody can ask for again, and its record. */
  create(wanted: NewToken): { token: string; record: TokenRecord } {
    return this.#state.exclusively(fileName, () => this.#create(wanted));
  }

  #create(wanted: NewToken): { token: string; record: TokenRecord } {
    this.#reload();
    const id = randomBytes(8).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const record: TokenRecord = {
      id,
      name: wanted.name ?? id,
      sha256: hash('sha256', secret, 'hex'),
      level: wanted.level,
      vms: wanted.vms,
      created: new Date(this.#now()).toISOString(),
      ...(wanted.commands === undefined ? {} : { commands: wanted.commands }),
      ...(wanted.endpoints === undefined ? {} : { endpoints: wanted.endpoints }),
      ...(wanted.operatorEndpoints === undefined ? {} : { operatorEndpoints: wanted.operatorEndpoints }),
      ...(wanted.expires === undefined ? {} : { expires: wanted.expires.toISOString() }),
      ...(wanted.owner === undefined ? {} : { owner: wanted.owner }),
    };
    this.#records.set(id, record);
    this.#save();
    return { token: `qmpgw_${id}_${secret}`, record };
  }

  /** @returns false when there is no such token. */
  revoke(id: string): boolean {
    return this.#state.exclusively(fileName, () => {
      this.#reload();
      if (!this.#records.delete(id)) return false;
      this.#principals.delete(id);
      this.#verified.delete(id);
      this.#save();
      return true;
    });
  }

  /**
   * Who holds this token, or undefined: malformed, unknown, expired and wrong secrets are not told apart.
   * @param connection it came by: what is shown there again and again is looked up once
   */
  authenticate(token: string, connection?: object): Principal | undefined {
    this.#reloadIfChanged(false);
    // Compared with what the same sender has shown before, so the time it takes tells nobody anything.
    const before = connection === undefined ? undefined : this.#shown.get(connection);
    if (before?.token === token && before.records === this.#records && before.principal.expires > this.#now())
      return before.principal;
    const principal = this.#holder(token);
    if (principal !== undefined && connection !== undefined)
      this.#shown.set(connection, { token, principal, records: this.#records });
    return principal;
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

  /** In constant time. A secret that was right once is kept for as long as its record: hashing costs ten times the comparison. */
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
    if (right && record !== undefined) this.#verified.set(record.id, { record, bytes: Buffer.from(secret, 'latin1') });
    return right;
  }

  #principal(record: TokenRecord): Principal {
    let principal = this.#principals.get(record.id);
    if (principal === undefined) {
      const { level, vms, commands, endpoints } = record;
      // A token that another made before this was kept: nothing in its globs is known to be the operator's.
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
      principal = new Principal(tokenPrincipalId(id), record.name, grant, stillValid, expires);
      this.#principals.set(id, principal);
    }
    return principal;
  }

  #isValid(id: string): boolean {
    const record = this.#records.get(id);
    return record !== undefined && (record.expires === undefined || Date.parse(record.expires) > this.#now());
  }

  #reloadIfChanged(unknownId: boolean): void {
    const now = performance.now();
    if (!unknownId && now - this.#checkedAt < reloadEveryMs) return;
    this.#checkedAt = now;
    const stamp = fileStamp(this.#state.file(fileName));
    if (stamp === this.#stamp || stamp === this.#damagedStamp) return;
    try {
      this.#reload();
    } catch (error) {
      this.#damagedStamp = stamp;
      this.trouble((error as Error).message);
    }
  }

  #reload(): void {
    const stamp = fileStamp(this.#state.file(fileName));
    const text = this.#state.read(fileName);
    this.#records = new Map(parseTokens(text, this.#state.file(fileName)).map((record) => [record.id, record]));
    this.#principals.clear();
    this.#verified.clear();
    this.#stamp = stamp;
  }

  #save(): void {
    this.#state.write(fileName, `${JSON.stringify({ tokens: [...this.#records.values()] }, null, 2)}\n`);
    this.#stamp = fileStamp(this.#state.file(fileName));
  }
}

function fileStamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}

function parseTokens(text: string | undefined, path: string): TokenRecord[] {
  if (text === undefined) return [];
  try {
    const { tokens } = JSON.parse(text) as { tokens: TokenRecord[] };
    for (const token of tokens) {
      const { id, sha256, level, vms } = token;
      if (!/^[a-z0-9]+$/.test(id) || !/^[0-9a-f]{64}$/.test(sha256) || !levels.includes(level) || !Array.isArray(vms))
        throw new Error(`the entry of token ${JSON.stringify(id)} is damaged`);
    }
    return tokens;
  } catch (error) {
    throw new SettingsError([`state: ${path} is not a token file: ${(error as Error).message}`]);
  }
}
