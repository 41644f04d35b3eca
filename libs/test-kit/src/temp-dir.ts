import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A new empty directory (mode 0700) with a short path, so that sockets fit in it. */
export function makeTempDir(): string {
  return mkdtempSync(path.join(tmpdir(), 'qmpgw-'));
}

export function removeTempDir(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
