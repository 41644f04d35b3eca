import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import path from 'node:path';

/** Linux's own number, the same on every architecture that Node runs on; Node has no name for it. */
const openPathOnly = 0o10000000;

/** Code of a {@link LinkedPathError}. */
export const linkedPath = 'ELINKED';

/** A name in the path stands for something that is elsewhere: whoever may make names there could mean any socket of the host. */
export class LinkedPathError extends Error {
  readonly code = linkedPath;

  constructor(message: string) {
    super(message);
    this.name = 'LinkedPathError';
  }
}

/** A file held by descriptor: what was looked at is what is used, whatever becomes of its name. */
export interface HeldFile {
  /** Leads to that very file. Short, however long its own path is. */
  readonly path: string;
  readonly status: Stats;
  release(): void;
}

/**
 * Holds what a path leads to. `anchor`, the part of the path that the operator wrote, may hold links (`/var/run` is one
 * almost everywhere). Each name below it was chosen by others and must be no link, and a socket there must have no second
 * name. Each is opened from the directory before it, so none can be exchanged in between.
 *
 * Synchronous as `connect` is, which looks the path up in the same way.
 * @param anchor a directory above; without it the whole path is the operator's
 * @throws {LinkedPathError} for a link; the system's own error for what is not there or may not be looked at
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

/** The link that {@link holdFile} would not follow, told in words; undefined when there is none, or nothing there yet. */
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
    // Node's own text names the way by the descriptor.
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
    throw new LinkedPathError(`${file} is no plain path below ${anchor}`);
  return names;
}
