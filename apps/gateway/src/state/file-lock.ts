import { closeSync, openSync, rmSync, statSync } from 'node:fs';

/** Whoever holds the lock writes one small file: longer than this it is not held, but left over from a process that died. */
const staleMs = 10_000;
const waitMs = 20;

/**
 * Runs `work` while no other process runs its own under the same lock file. Waits for the other one: milliseconds in
 * practice, {@link staleMs} at most.
 */
export function withFileLock<T>(path: string, work: () => T): T {
  for (;;) {
    try {
      closeSync(openSync(path, 'wx', 0o600));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && Date.now() - stat.mtimeMs > staleMs) rmSync(path, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
    }
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}
