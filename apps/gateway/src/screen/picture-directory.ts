import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { chmodSync, chownSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { chmod, chown, mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** An 8K picture with three bytes per pixel has 95 MiB. */
const mostBytes = 128 * 2 ** 20;

/**
 * A directory for one picture: QEMU writes `file`, the gateway reads it, and the directory is removed with everything
 * in it.
 */
export interface PicturePlace {
  readonly file: string;
  /** @returns undefined if nobody wrote it. @throws Error if it is not a file of a picture's size */
  read(): Promise<Buffer | undefined>;
  remove(): Promise<void>;
}

const placePrefix = 'screen-';

/**
 * The directory in which QEMU writes pictures for the gateway: it has one directory for each picture, with the empty
 * file for QEMU to write. So QEMU does not have to create files, and the file belongs to the gateway whatever QEMU's
 * umask is. All of it is accessible to the gateway alone, or as little as possible to a group: its members may enter
 * directories and write the file, but cannot list, replace or read anything, because the QEMUs of one group serve many.
 * The directory is removed with the answer; a QEMU that writes after the caller's deadline finds no file.
 */
export class PictureDirectory implements OnApplicationBootstrap, OnApplicationShutdown {
  /** @param gid group of QEMUs that run as another user */
  constructor(
    private readonly path: string,
    private readonly gid?: number,
  ) {}

  onApplicationBootstrap(): void {
    this.clear();
  }

  onApplicationShutdown(): void {
    this.clear();
  }

  /** Removes what a killed gateway left, and nothing else: others may use the directory too. */
  clear(): void {
    if (!existsSync(this.path)) return;
    for (const name of readdirSync(this.path))
      if (name.startsWith(placePrefix)) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  async place(): Promise<PicturePlace> {
    this.#make();
    const directory = await mkdtemp(join(this.path, placePrefix));
    const file = join(directory, 'picture');
    // A file that appears while the directory is emptied makes the removal fail: try once more.
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
    try {
      await writeFile(file, '', { flag: 'wx', mode: 0o600 });
      if (this.gid !== undefined) {
        await openTo(this.gid, file, 0o620);
        await openTo(this.gid, directory, 0o710);
      }
    } catch (error) {
      await remove();
      throw error;
    }
    return { file, read: () => readPicture(file), remove };
  }

  #make(): void {
    if (existsSync(this.path)) return;
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    if (this.gid === undefined) return;
    chownSync(this.path, -1, this.gid);
    chmodSync(this.path, 0o710);
  }
}

async function openTo(gid: number, path: string, mode: number): Promise<void> {
  await chown(path, -1, gid);
  await chmod(path, mode);
}

async function readPicture(file: string): Promise<Buffer | undefined> {
  let handle: FileHandle;
  try {
    // Rejects links to elsewhere and pipes without a writer: a guest may control this QEMU.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > mostBytes) throw new Error('the file of the VM is not a picture');
    if (status.size === 0) return undefined;
    return await readWhole(handle, status.size);
  } finally {
    await handle.close();
  }
}

/** The writer decides where a file ends that is still being written; a picture is complete before the VM answers. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer> {
  // Reading one more byte shows whether the file grows.
  const bytes = Buffer.alloc(size + 1);
  let length = 0;
  for (let end = false; !end && length <= size;) {
    const { bytesRead } = await handle.read(bytes, length);
    length += bytesRead;
    end = bytesRead === 0;
  }
  if (length > size) throw new Error('the file of the VM is not a picture: it grows');
  return bytes.subarray(0, length);
}
