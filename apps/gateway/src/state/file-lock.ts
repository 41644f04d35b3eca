import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';

/**
 * Whoever holds the lock writes one small file. One that nobody can be found for is left over from a process that died
 * when it has stood this long before the eyes of who waits: by a clock that nobody sets.
 */
const leftOverMs = 3_000;
const waitMs = 20;

/**
 * Runs `work` while no other process runs its own under the same lock file. Waits for the other one: milliseconds in
 * practice, {@link leftOverMs} at most, not at all for one that has died.
 */
export function withFileLock<T>(path: string, work: () => T): T {
  let seen: { readonly lock: string; readonly since: number } | undefined;
  while (!take(path)) {
    const lock = identityOf(path);
    if (lock === undefined) continue;
    if (seen?.lock !== lock) seen = { lock, since: performance.now() };
    if (performance.now() - seen.since >= leftOverMs || hasDied(holderOf(path))) rmSync(path, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, `${process.pid}\n`);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Tells one lock from the next; undefined when it is gone. */
function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino} ${stat.mtimeMs}`;
}

function holderOf(path: string): number | undefined {
  try {
    return Number(/^([1-9][0-9]*)\n$/.exec(readFileSync(path, 'utf8'))?.[1]) || undefined;
  } catch {
    return undefined;
  }
}

/** Who waits holds nothing: a lock with its own id is one of an earlier life, in a container that numbers from 1 again. */
function hasDied(holder: number | undefined): boolean {
  if (holder === undefined) return false;
  if (holder === process.pid) return true;
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
