import { holdFile, type HeldFile } from '@qmp-gateway/qmp';
import { Descriptor } from '@qmp-gateway/unix-fds';
import { constants, fstatSync, open, readlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { matchesAnyGlob } from '../access/glob.js';
import { Problem } from '../problems/problem.js';
import { systemFault } from '../settings/system-fault.js';

const openFile = promisify(open);

export type FileAccess = 'read' | 'write';

/** A file of the host that is open, and where it really is. */
export interface OpenHostFile {
  readonly descriptor: Descriptor;
  readonly path: string;
}

/** Opens files of the host for VMs: those that the setting `hostPaths` allows, by whichever name. */
export class HostFiles {
  constructor(private readonly settings: { readonly hostPaths: readonly string[] }) {}

  /**
   * Opens a file or a character device. Each part of the path is opened from the one before and must not be a link; what was
   * opened is then what the list allows by its real name.
   * @throws Problem `forbidden` for a path outside of the list, and for a link; `host-path-unusable`
   */
  async open(file: string, access: readonly FileAccess[]): Promise<OpenHostFile> {
    this.#requireAllowed(file);
    const held = hold(file);
    try {
      if (!held.status.isFile() && !held.status.isCharacterDevice())
        throw unusable(file, `it is ${kindOf(held)}; files and character devices can be passed`);
      return await this.#reopen(file, held, access);
    } finally {
      held.release();
    }
  }

  async #reopen(file: string, held: HeldFile, access: readonly FileAccess[]): Promise<OpenHostFile> {
    // Not waiting for a device, such as a line that nobody has dialled; that is taken back when it is open.
    const descriptor = await openFile(held.path, modeOf(access) | constants.O_NONBLOCK | constants.O_NOCTTY).then(
      (number) => new Descriptor(number),
      (error: unknown) => {
        throw unusable(file, systemFault(plain(error)));
      },
    );
    try {
      const { dev, ino } = fstatSync(descriptor.number);
      const real = readlinkSync(`/proc/self/fd/${descriptor.number}`);
      if (dev !== held.status.dev || ino !== held.status.ino || real !== file)
        throw unusable(file, 'it was replaced or removed meanwhile');
      descriptor.setBlocking();
      return { descriptor, path: real };
    } catch (error) {
      descriptor.close();
      throw error;
    }
  }

  #requireAllowed(file: string): void {
    const isPlain = path.posix.normalize(file) === file && !file.endsWith('/') && !file.includes('\0');
    const { hostPaths } = this.settings;
    if (isPlain && matchesAnyGlob(hostPaths, file)) return;
    const why =
      hostPaths.length === 0 ? 'it is empty' : isPlain ? 'it has no such path' : 'the path is not written plainly';
    throw new Problem('forbidden', `The setting hostPaths does not allow ${file}: ${why} (rule hostPaths).`);
  }
}

/** @throws Problem */
function hold(file: string): HeldFile {
  try {
    return holdFile(file, '/');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ELINKED') throw new Problem('forbidden', `${message}; links are not followed (rule hostPaths).`);
    throw unusable(file, systemFault(error));
  }
}

function modeOf(access: readonly FileAccess[]): number {
  if (!access.includes('write')) return constants.O_RDONLY;
  return access.includes('read') ? constants.O_RDWR : constants.O_WRONLY;
}

function kindOf({ status }: HeldFile): string {
  if (status.isDirectory()) return 'a directory';
  if (status.isBlockDevice()) return 'a block device';
  return status.isSocket() ? 'a socket' : 'a pipe';
}

/** Node's own message names the path that the file is held by. */
function plain(error: unknown): Error {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return Object.assign(new Error(code), { code });
}

/** The file cannot be passed. @param why completes "FILE cannot be passed: …" */
export function unusable(file: string, why: string): Problem {
  return new Problem('host-path-unusable', `${file} cannot be passed: ${why}.`);
}
