import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const keptLines = 1000;

/** The lines typed at one VM of one gateway, kept below `$XDG_STATE_HOME` for their owner alone. */
export class ShellHistory {
  readonly #file: string;

  /** @param gateway its address, as the user writes it */
  constructor(environment: NodeJS.ProcessEnv, gateway: string, vm: string) {
    const given = environment['XDG_STATE_HOME'];
    const base = given !== undefined && path.isAbsolute(given) ? given : path.join(homedir(), '.local', 'state');
    const whose = createHash('sha256').update(gateway).digest('hex').slice(0, 8);
    this.#file = path.join(base, 'qmp-gateway', 'history', `${vm}-${whose}`);
  }

  /** The newest first, as Node's readline has them. */
  read(): string[] {
    try {
      return readFileSync(this.#file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .reverse();
    } catch {
      return [];
    }
  }

  /** Lines that begin with a space are not kept: they may hold a secret. @param lines the newest first */
  keep(lines: readonly string[]): void {
    const kept = lines.filter((line) => !/^\s/.test(line) && !line.includes('\n')).slice(0, keptLines);
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(
        this.#file,
        [...kept]
          .reverse()
          .map((line) => `${line}\n`)
          .join(''),
        { mode: 0o600 },
      );
    } catch {
      // A shell without a history works.
    }
  }
}
