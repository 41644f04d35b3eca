import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import path from 'node:path';

/** Linux's value, the same on every architecture that Node.js supports; Node.js has no constant for it. */
const openPathOnly = 0o10000000;

/** Code of a {@link LinkedPathError}. */
export const linkedPath = 'ELINKED';

/** A name in the path is a link: whoever creates names there could redirect it to any socket of the host. */
export class LinkedPathError extends Error {
  readonly code = linkedPath;

  constructor(message: string) {
    super(message);
    this.name = 'LinkedPathError';
  }
}

/**
 * A file held open by descriptor, so that the file that is used is the one that was checked, whatever happens to its
 * name.
 */
export interface HeldFile {
  /** A path to this very file; short, however long the file's own path is. */
  readonly path: string;
  readonly status: Stats;
  release(): void;
}

/**
 * Opens the file at a path. `anchor`, the part of the path that the operator wrote, may contain links (`/var/run`
 * usually is one). Each name below it was chosen by others and must not be a link, and a socket there must not have a
 * second name. Each name is opened from the directory before it, so none can be exchanged in between.
 *
 * Synchronous, like `connect`, which resolves the path in the same way.
 * @param anchor a directory above the file; without it the whole path is the operator's
 * @throws {LinkedPathError} for a link; the system's own error if the file is missing or not accessible
 */
export function holdFile(file: string, anchor?: string): HeldFile {
  const names = anchor === undefined ? [] : namesBelow(anchor, file);
  let shown = anchor ?? file;
  let held = open(shown, shown, 0);
  try {
    for (const name of names) {
      shown = path.posix.join(shown, name);
      const next = open(pathOf(held, name), shown, constants.O_NOFOLLOW);
      closeSync(held);
      held = next;
      if (fstatSync(held).isSymbolicLink()) throw new LinkedPathError(`${shown} is a link`);
    }
    const status = fstatSync(held);
    if (anchor !== undefined && status.isSocket() && status.nlink > 1)
      throw new LinkedPathError(`${shown} is one of ${status.nlink} names of a socket`);
    const descriptor = held;
    return { path: pathOf(descriptor), status, release: () => closeSync(descriptor) };
  } catch (error) {
    closeSync(held);
    throw error;
  }
}

/** Describes the link that {@link holdFile} would refuse; undefined if there is none, or no file yet. */
export function linkFault(file: string, anchor: string): string | undefined {
  try {
    holdFile(file, anchor).release();
    return undefined;
  } catch (error) {
    return error instanceof LinkedPathError ? error.message : undefined;
  }
}

function open(file: string, shown: string, flags: number): number {
  try {
    return openSync(file, openPathOnly | flags);
  } catch (error) {
    const { code = '', errno, syscall } = error as NodeJS.ErrnoException;
    // Node.js's own message names the path through the descriptor.
    throw Object.assign(new Error(`open ${code} ${shown}`), { code, errno, syscall });
  }
}

function pathOf(descriptor: number, name?: string): string {
  return `/proc/self/fd/${descriptor}${name === undefined ? '' : `/${name}`}`;
}

function namesBelow(anchor: string, file: string): string[] {
  if (file === anchor) return [];
  const above = anchor.endsWith('/') ? anchor : `${anchor}/`;
  const names = file.startsWith(above) ? file.slice(above.length).split('/') : [];
  if (names.length === 0 || names.some((name) => name === '' || name === '.' || name === '..'))
    throw new LinkedPathError(`${file} is not a plain path below ${anchor}`);
  return names;
}
