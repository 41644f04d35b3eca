import { constants, mkdirSync, rmSync } from 'node:fs';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
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

/**
 * Where QEMU puts pictures for the gateway: a directory of mode 0700, in it one of its own for each picture. That one is
 * removed with the answer; a QEMU that comes late, after the caller's deadline, finds no place to write to.
 */
export class PictureDirectory {
  constructor(private readonly path: string) {}

  /** Removes what a gateway that was killed left behind. */
  clear(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  async place(): Promise<PicturePlace> {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const directory = await mkdtemp(join(this.path, 'screen-'));
    const file = join(directory, 'picture');
    return {
      file,
      read: () => readPicture(file),
      // A file that comes while the directory is emptied makes it not empty: then once more.
      remove: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
    };
  }
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
