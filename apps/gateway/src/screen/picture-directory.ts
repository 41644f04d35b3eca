import { chmodSync, chownSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { chmod, chown, mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** A picture of 8K in three bytes a pixel has 95 MiB. */
const mostBytes = 128 * 2 ** 20;

/** A place for one picture: QEMU writes `file`, we read it, and it is gone with all that came there. */
export interface PicturePlace {
  readonly file: string;
  /** @returns undefined when nobody wrote it. @throws Error for what is no file of a picture's size */
  read(): Promise<Buffer | undefined>;
  remove(): Promise<void>;
}

const placePrefix = 'screen-';

/**
 * Where QEMU puts pictures for the gateway: a directory, in it one of its own for each picture, with the file, empty, that
 * QEMU is to write. So it need not be able to make any, and the file is the gateway's whatever QEMU's umask is. All of it is
 * the gateway's alone, or open to a group as little as it can be: they may enter directories and write the file, but
 * neither list, replace nor read what is there, since the QEMUs of one group belong to many. It is removed with the answer; a
 * QEMU that comes late, after the caller's deadline, finds no place to write to.
 */
export class PictureDirectory {
  /** @param gid of QEMUs that run as another user */
  constructor(
    private readonly path: string,
    private readonly gid?: number,
  ) {}

  /** Removes what a gateway that was killed left behind, and nothing else: the directory may be one that others use. */
  clear(): void {
    if (!existsSync(this.path)) return;
    for (const name of readdirSync(this.path))
      if (name.startsWith(placePrefix)) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  async place(): Promise<PicturePlace> {
    this.#make();
    const directory = await mkdtemp(join(this.path, placePrefix));
    const file = join(directory, 'picture');
    // A file that comes while the directory is emptied makes it not empty: then once more.
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
    // Neither a link to somewhere else nor a pipe nobody writes to: the QEMU that was asked may be in a guest's hands.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > mostBytes) throw new Error('what the VM wrote is no picture');
    if (status.size === 0) return undefined;
    return await readWhole(handle, status.size);
  } finally {
    await handle.close();
  }
}

/** Where a file ends that is being written is up to who writes it; a picture was written before the VM answered. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer> {
  // The byte behind the last tells whether it grows.
  const bytes = Buffer.alloc(size + 1);
  let length = 0;
  for (let end = false; !end && length <= size;) {
    const { bytesRead } = await handle.read(bytes, length);
    length += bytesRead;
    end = bytesRead === 0;
  }
  if (length > size) throw new Error('what the VM wrote is no picture: it grows');
  return bytes.subarray(0, length);
}
