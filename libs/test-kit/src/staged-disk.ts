import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { writeFileSync, writeSync } = fs;

type FileContent = string | NodeJS.ArrayBufferView;

function bytesOf(content: FileContent): Buffer {
  return typeof content === 'string'
    ? Buffer.from(content)
    : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

/** A disk that takes less than it is given, for whatever this process writes to open files. Ends with `takeAll`. */
export const stagedDisk = {
  /** The next writes fail as on a full disk once so many bytes of them are written. */
  takeOnly(room: number): void {
    fs.writeFileSync = (file, content) => {
      const bytes = bytesOf(content);
      writeFileSync(file, bytes.subarray(0, room));
      if (bytes.length > room) throw new Error('ENOSPC: no space left on device');
    };
    syncBuiltinESMExports();
  },

  /** Each write takes at most so many bytes, and says so: a kernel may. */
  takeAtOnce(bytes: number): void {
    fs.writeSync = (file: number, content: FileContent) => writeSync(file, bytesOf(content).subarray(0, bytes));
    syncBuiltinESMExports();
  },

  takeAll(): void {
    Object.assign(fs, { writeFileSync, writeSync });
    syncBuiltinESMExports();
  },
};
