import type { BigIntStats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { DiscoveryPattern, Placeholders } from '../../settings/discovery-pattern.js';
import type { Warnings } from '../warnings.js';

/** Directories and sockets of one pattern, in the order of their names; what is more is left out, with a warning. */
export interface ScanBounds {
  readonly directories: number;
  readonly sockets: number;
}
const defaultBounds: ScanBounds = { directories: 1024, sockets: 4096 };

export interface ScanOptions {
  readonly bounds?: ScanBounds;
  readonly clock?: Clock;
}

/** A socket that matches the pattern. */
export interface FoundSocket {
  readonly path: string;
  readonly values: Placeholders;
  /** The directory down to which the pattern is fixed text: below it, at any time, a link is no way to the socket. */
  readonly anchor: string;
  /** Tells one file from the next of the same name. */
  readonly inode: bigint;
  /** When the file was made, or changed last, in wall-clock milliseconds. */
  readonly changedAt: number;
}

/** A directory as it was when it was read. */
interface ReadDirectory {
  readonly inode: bigint;
  /** Adding, removing and replacing a name all change it; undefined when that could not be told yet. */
  readonly changedAt: bigint | undefined;
  readonly names: readonly string[];
}

/** Of a change this young the next one may have the same time: kernels count it in steps of up to 10 ms. */
const settledNs = 100_000_000n;

interface Look {
  readonly directories: ReadonlyMap<string, ReadDirectory>;
  readonly sockets: ReadonlyMap<string, FoundSocket>;
}

/** A place on the way down: the path so far, the names of the pattern it takes up, and what its placeholders stand for. */
interface Descent {
  readonly above: string;
  readonly depth: number;
  readonly values: Placeholders;
}

/**
 * Looks for the sockets of a pattern, from its fixed part down. What has not changed is not read again. The fixed part is
 * the operator's and may hold links; what placeholders stand for was named by others, and no link from there on is
 * followed, or who may make names in one directory could show the socket of another as his.
 */
export class PatternScan {
  #directories = new Map<string, ReadDirectory>();
  #sockets = new Map<string, FoundSocket>();

  readonly #bounds: ScanBounds;
  readonly #clock: Clock;

  /** @param warnings what keeps sockets from being found; at each look while it lasts */
  constructor(
    readonly pattern: DiscoveryPattern,
    private readonly warnings: Warnings,
    { bounds = defaultBounds, clock = systemClock }: ScanOptions = {},
  ) {
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** The directories whose changes matter, with their inodes, as the last look found them. */
  *directories(): Generator<[path: string, inode: bigint]> {
    for (const [path, { inode }] of this.#directories) yield [path, inode];
  }

  /**
   * @param changed directories to read again whatever they look like
   * @returns the sockets that are there now, by path
   */
  async look(changed: ReadonlySet<string> | 'all'): Promise<ReadonlyMap<string, FoundSocket>> {
    const before: Look = {
      directories: changed === 'all' ? new Map() : this.#directories,
      sockets: this.#sockets,
    };
    this.#directories = new Map();
    this.#sockets = new Map();
    await this.#descend({ above: '', depth: 0, values: {} }, before, changed === 'all' ? new Set() : changed);
    return this.#sockets;
  }

  async #descend({ above, depth, values }: Descent, before: Look, changed: ReadonlySet<string>): Promise<void> {
    const { pattern } = this;
    const bounds = this.#bounds;
    const [directory, at] = this.#pastLiterals(above, depth);
    if (this.#directories.size >= bounds.directories) {
      this.warnings.warn(`${pattern.text}: more than ${bounds.directories} directories; the others are not looked at`);
      return;
    }
    const known = before.directories.get(directory);
    const now = await this.#read(directory, above, changed.has(directory) ? undefined : known);
    if (now === undefined) return;
    this.#directories.set(directory, now);
    for (const name of now.names) {
      const matched = pattern.match(at, name, values);
      if (matched === undefined) continue;
      const path = `${directory === '/' ? '' : directory}/${name}`;
      if (at < pattern.depth - 1) await this.#descend({ above: path, depth: at + 1, values: matched }, before, changed);
      else if (this.#sockets.size < bounds.sockets) {
        const socket =
          now === known ? before.sockets.get(path) : await this.#socketAt(path, matched, before.sockets.get(path));
        if (socket !== undefined) this.#sockets.set(path, socket);
      } else {
        this.warnings.warn(`${pattern.text}: more than ${bounds.sockets} sockets; the others are not taken`);
        return;
      }
    }
  }

  /** Only the last of several fixed directories has names to look for. */
  #pastLiterals(above: string, depth: number): [directory: string, depth: number] {
    let [directory, at] = [above, depth];
    for (; at < this.pattern.depth - 1; at++) {
      const literal = this.pattern.literalAt(at);
      if (literal === undefined) break;
      directory += `/${literal}`;
    }
    return [directory === '' ? '/' : directory, at];
  }

  /** What is in a directory: `known` itself when it has not changed, undefined when there is none to read. */
  async #read(directory: string, above: string, known: ReadDirectory | undefined): Promise<ReadDirectory | undefined> {
    try {
      const status = await this.#statusOf(directory, above);
      if (status === undefined) return undefined;
      const { ino: inode, mtimeNs } = status;
      if (known?.inode === inode && known.changedAt === mtimeNs) return known;
      const settled = BigInt(Math.trunc(this.#clock.wall())) * 1_000_000n - mtimeNs > settledNs;
      return { inode, changedAt: settled ? mtimeNs : undefined, names: (await readdir(directory)).sort() };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        this.warnings.warn(`${this.pattern.text}: ${directory} cannot be read (${code ?? String(error)})`);
      return undefined;
    }
  }

  /** Undefined when a link is on the way from `above`, which a placeholder stands for, to the directory. */
  async #statusOf(directory: string, above: string): Promise<BigIntStats | undefined> {
    if (above === '') return stat(directory, { bigint: true });
    for (let end = above.length; ; end = nextName(directory, end)) {
      const path = directory.slice(0, end);
      const status = await lstat(path, { bigint: true });
      if (status.isSymbolicLink()) {
        this.#refuse(path, 'a link');
        return undefined;
      }
      if (end === directory.length) return status;
    }
  }

  /** @param known what it was before: a second name, given to it since, makes it nobody else's */
  async #socketAt(
    path: string,
    values: Placeholders,
    known: FoundSocket | undefined,
  ): Promise<FoundSocket | undefined> {
    try {
      const file = await lstat(path, { bigint: true });
      if (file.isSymbolicLink()) this.#refuse(path, 'a link');
      else if (file.isSocket() && file.nlink > 1n && file.ino !== known?.inode)
        this.#refuse(path, `one of ${file.nlink} names of a socket`);
      else if (file.isSocket()) {
        const changedAt = Number(file.ctimeNs / 1_000_000n);
        return { path, values, anchor: this.pattern.anchor ?? '/', inode: file.ino, changedAt };
      }
      return undefined;
    } catch {
      // Gone again, or not ours to look at.
      return undefined;
    }
  }

  #refuse(path: string, what: string): void {
    this.warnings.warn(
      `${this.pattern.text}: ${path} is ${what}; it may be meant for a socket of others, and is not taken`,
    );
  }
}

/** Where the next name of a path ends. */
function nextName(path: string, end: number): number {
  const slash = path.indexOf('/', end + 1);
  return slash < 0 ? path.length : slash;
}
