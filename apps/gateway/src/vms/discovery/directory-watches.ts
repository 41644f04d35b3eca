import { watch, type FSWatcher } from 'node:fs';

/** Watches directories, as far as the system lets it. */
export class DirectoryWatches {
  readonly #watches = new Map<string, { readonly inode: bigint; readonly watcher: FSWatcher | undefined }>();

  /**
   * @param changed called with the path of a directory in which a name came, went or was replaced
   * @param trouble told why one can't be watched
   */
  constructor(
    private readonly changed: (directory: string) => void,
    private readonly trouble: (message: string) => void,
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
        if (kind === 'rename') this.changed(path);
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Gone in between: the next look will not find it.
      if (code !== 'ENOENT')
        this.trouble(`${path} cannot be watched (${code ?? String(error)}); it is read again and again`);
      return undefined;
    }
  }
}
