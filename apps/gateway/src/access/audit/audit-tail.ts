import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Read from the end of the file, at most. */
const mostBytes = 1024 * 1024;

/**
 * The newest lines of a log of lines.
 * @param most lines
 * @returns the oldest first, each without its end; what a writer has not finished is left out
 * @throws Error when the file cannot be read
 */
export async function tailOf(path: string, most: number): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - mostBytes);
    const bytes = Buffer.alloc(size - from);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    const lines = bytes.toString('utf8', 0, bytesRead).split('\n').slice(0, -1);
    // The first one may be half a line.
    return lines.slice(Math.max(from === 0 ? 0 : 1, lines.length - most));
  } finally {
    await file.close();
  }
}

/** Whether a log of lines has half a line at its end. Of what is no file, or can't be read, nobody knows: no. */
export function endsWithinLine(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile() || status.size === 0) return false;
    const last = Buffer.alloc(1);
    readSync(file, last, 0, 1, status.size - 1);
    return last.toString('latin1') !== '\n';
  } finally {
    closeSync(file);
  }
}
