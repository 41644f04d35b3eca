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
