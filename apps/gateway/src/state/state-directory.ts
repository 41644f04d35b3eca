import { directoryFault, type DirectoryUser } from '@qmp-gateway/qmp';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { SettingsError } from '../settings/load-settings.js';
import { systemFault } from '../settings/system-fault.js';
import { unfinishedPattern, writeFileAtomically } from './atomic-file.js';
import { withFileLock } from './file-lock.js';

/** No file takes so long to write. */
const writingMs = 60_000;

/** The gateway's own files: registry, tokens, audit log. Made 0700 on first use. */
export class StateDirectory {
  readonly path: string;

  /**
   * @param user `any` for root, who writes here by the command line for the gateway's own user
   * @throws SettingsError when it can't be made, or others may write to it
   */
  constructor(path: string, user: DirectoryUser = 'own') {
    this.path = resolve(path);
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new SettingsError([`state: cannot create ${this.path}: ${systemFault(error)}`], true);
    }
    const fault = directoryFault(this.path, user);
    if (fault !== undefined) throw new SettingsError([`state: ${fault}`], true);
  }

  file(name: string): string {
    return resolve(this.path, name);
  }

  /** The text of a file, or undefined when there is none yet. @throws SettingsError when it can't be read */
  read(name: string): string | undefined {
    const file = this.file(name);
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new SettingsError([`state: cannot read ${file}: ${systemFault(error)}`], true);
    }
  }

  /** Of all files in it. @throws SettingsError when it can't be read */
  names(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      throw new SettingsError([`state: cannot read ${this.path}: ${systemFault(error)}`], true);
    }
  }

  /** A file that cannot be removed stays: its next reader finds that it is useless. */
  remove(name: string): void {
    try {
      rmSync(this.file(name), { force: true });
    } catch {
      // As said.
    }
  }

  /** Removes what processes left that were killed while they wrote a file; each would stay for good. */
  removeUnfinished(): void {
    const before = Date.now() - writingMs;
    for (const name of this.names()) {
      const isOld = unfinishedPattern.test(name) && modifiedAt(this.file(name)) < before;
      if (isOld) this.remove(name);
    }
  }

  write(name: string, text: string): void {
    writeFileAtomically(this.file(name), text);
    this.giveToOwner(name);
  }

  /** Between reading a file and writing it anew no other process may do the same: the command line writes here too. */
  exclusively<T>(name: string, work: () => T): T {
    return withFileLock(this.file(`${name}.lock`), work);
  }

  /** The gateway's own user must be able to read what root writes by the command line. */
  giveToOwner(name: string): void {
    if (process.getuid?.() !== 0) return;
    const { uid, gid } = statSync(this.path);
    if (uid !== 0) chownSync(this.file(name), uid, gid);
  }
}

/** Milliseconds since 1970; of a file that is gone, the end of time. */
function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
}
