import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { usageFault } from './exit-status.js';

/** What `login` keeps for one gateway. */
export interface StoredLogin {
  readonly token?: string;
  /** Absolute paths of the files of TLS. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

interface LoginContent {
  /** The address of the last login. */
  readonly current?: string;
  readonly gateways: Readonly<Record<string, StoredLogin>>;
}

const nobodyElse = 0o600;

/** The file of logins: `qmp-gateway/login.json` below `$XDG_CONFIG_HOME`, for its owner alone. */
export class LoginFile {
  readonly path: string;

  constructor(environment: NodeJS.ProcessEnv) {
    const given = environment['XDG_CONFIG_HOME'];
    // Relative paths are invalid by the XDG Base Directory Specification.
    const base = given !== undefined && path.isAbsolute(given) ? given : path.join(homedir(), '.config');
    this.path = path.join(base, 'qmp-gateway', 'login.json');
  }

  /** Address of the gateway that was logged in to last. */
  get current(): string | undefined {
    return this.#read().current;
  }

  /** What is kept for a gateway; nothing of one gateway is ever sent to another. */
  of(address: string): StoredLogin {
    const { gateways } = this.#read();
    return Object.hasOwn(gateways, address) ? (gateways[address] ?? {}) : {};
  }

  /** Keeps a login, and makes its gateway the current one. */
  keep(address: string, login: StoredLogin): void {
    this.#write({ current: address, gateways: { ...this.#read().gateways, [address]: login } });
  }

  /** Forgets a gateway. @returns whether it was known */
  forget(address: string): boolean {
    const { current, gateways } = this.#read();
    if (!Object.hasOwn(gateways, address)) return false;
    const { [address]: _, ...others } = gateways;
    this.#write({ ...(current === undefined || current === address ? {} : { current }), gateways: others });
    return true;
  }

  #read(): LoginContent {
    let text: string;
    try {
      if ((statSync(this.path).mode & 0o077) !== 0)
        throw usageFault(`${this.path} holds tokens, and others may read it`, `chmod 600 ${this.path}`);
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { gateways: {} };
      throw error;
    }
    try {
      const { current, gateways = {} } = JSON.parse(text) as Partial<LoginContent>;
      return { ...(current === undefined ? {} : { current }), gateways };
    } catch {
      throw usageFault(`${this.path} cannot be read`, 'remove it, and log in again');
    }
  }

  #write(content: LoginContent): void {
    mkdirSync(path.dirname(this.path), { recursive: true, mode: 0o700 });
    // A reader sees the old file or the new one, never a part.
    const written = `${this.path}.${process.pid}`;
    writeFileSync(written, `${JSON.stringify(content, undefined, 2)}\n`, { mode: nobodyElse });
    chmodSync(written, nobodyElse);
    renameSync(written, this.path);
  }
}
