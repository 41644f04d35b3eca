import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The name of a file that was not written to its end. */
export const unfinishedPattern = /\.[0-9a-f]{12}\.tmp$/;

/**
 * Replaces a file whole or not at all: a reader, or a crash at any moment, finds the old text or the new one.
 * The text is on disk when this returns (file and directory are synced).
 *
 * @param mode of the new file; the default keeps it from everybody else.
 */
export function writeFileAtomically(path: string, text: string, mode = 0o600): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      // Not writeSync: on a disk that is nearly full it writes a part and returns how much, without an error.
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
