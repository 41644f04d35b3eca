import { readdir, stat } from 'node:fs/promises';
import type { DiscoveryPattern, Placeholders } from './discovery-pattern.js';

/** Directories and sockets of one pattern, in the order of their names; what is more is left out, with a warning. */
export interface ScanBounds {
  readonly directories: number;
  readonly sockets: number;
}
const defaultBounds: ScanBounds = { directories: 1024, sockets: 4096 };

/** A socket that matches the pattern. */
export interface FoundSocket {
  readonly path: string;
  readonly values: Placeholders;
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

/** Looks for the sockets of a pattern, from its fixed part down. What has not changed is not read again. */
export class PatternScan {
  #directories = new Map<string, ReadDirectory>();
  #sockets = new Map<string, FoundSocket>();

  /** @param trouble told of what keeps sockets from being found; at each look while it lasts */
  constructor(
    readonly pattern: DiscoveryPattern,
    private readonly trouble: (message: string) => void,
    private readonly bounds: ScanBounds = defaultBounds,
  ) {}

  /** The directories whose changes matter, with their inodes, as of the last look. */
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
    await this.#descend('', 0, {}, before, changed === 'all' ? new Set() : changed);
    return this.#sockets;
  }

  async #descend(
    above: string,
    depth: number,
    values: Placeholders,
    before: Look,
    changed: ReadonlySet<string>,
  ): Promise<void> {
    const { pattern, bounds } = this;
    const [directory, at] = this.#pastLiterals(above, depth);
    if (this.#directories.size >= bounds.directories) {
      this.trouble(`${pattern.text}: more than ${bounds.directories} directories; the others are not looked at`);
      return;
    }
    const known = before.directories.get(directory);
    const now = await this.#read(directory, changed.has(directory) ? undefined : known);
    if (now === undefined) return;
    this.#directories.set(directory, now);
    for (const name of now.names) {
      const matched = pattern.match(at, name, values);
      if (matched === undefined) continue;
      const path = `${directory === '/' ? '' : directory}/${name}`;
      if (at < pattern.depth - 1) await this.#descend(path, at + 1, matched, before, changed);
      else if (this.#sockets.size < bounds.sockets) {
        const socket = now === known ? before.sockets.get(path) : await socketAt(path, matched);
        if (socket !== undefined) this.#sockets.set(path, socket);
      } else {
        this.trouble(`${pattern.text}: more than ${bounds.sockets} sockets; the others are not taken`);
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
  async #read(directory: string, known: ReadDirectory | undefined): Promise<ReadDirectory | undefined> {
    try {
      const { ino: inode, mtimeNs } = await stat(directory, { bigint: true });
      if (known?.inode === inode && known.changedAt === mtimeNs) return known;
      const settled = BigInt(Date.now()) * 1_000_000n - mtimeNs > settledNs;
      return { inode, changedAt: settled ? mtimeNs : undefined, names: (await readdir(directory)).sort() };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        this.trouble(`${this.pattern.text}: ${directory} cannot be read (${code ?? String(error)})`);
      return undefined;
    }
  }
}

async function socketAt(path: string, values: Placeholders): Promise<FoundSocket | undefined> {
  try {
    const file = await stat(path, { bigint: true });
    if (!file.isSocket()) return undefined;
    return { path, values, inode: file.ino, changedAt: Number(file.ctimeNs / 1_000_000n) };
  } catch {
    // Gone again, or not ours to look at.
    return undefined;
  }
}
