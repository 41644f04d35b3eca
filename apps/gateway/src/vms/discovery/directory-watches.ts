import { watch, type FSWatcher } from 'node:fs';
import type { Warnings } from '../warnings.js';

/** Who wants to know that directories change. */
export interface DirectoryObserver {
  /** A name in the directory of this path came, went or was replaced. */
  directoryChanged(directory: string): void;
}

/** Watches directories, as far as the system lets it. */
export class DirectoryWatches {
  readonly #watches = new Map<string, { readonly inode: bigint; readonly watcher: FSWatcher | undefined }>();

  /** @param warnings why a directory can't be watched */
  constructor(
    private readonly observer: DirectoryObserver,
    private readonly warnings: Warnings,
  ) {}

  /** Watches these directories and no others. A watch is of an inode: a directory that is made anew needs another. */
  watch(directories: ReadonlyMap<string, bigint>): void {
    for (const [path, { inode, watcher }] of this.#watches) {
      if (directories.get(path) === inode) continue;
      watcher?.close();
      this.#watches.delete(path);
    }
    for (const [path, inode] of directories) {
      if (!this.#watches.has(path)) this.#watches.set(path, { inode, watcher: this.#open(path) });
    }
  }

  close(): void {
    this.watch(new Map());
  }

  #open(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, { persistent: false });
      // The other kind is about what is inside a file, such as a log that is written to.
      watcher.on('change', (kind) => {
        if (kind === 'rename') this.observer.directoryChanged(path);
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Gone in between: the next look will not find it.
      if (code !== 'ENOENT')
        this.warnings.warn(`${path} cannot be watched (${code ?? String(error)}); it is read again and again`);
      return undefined;
    }
  }
}
