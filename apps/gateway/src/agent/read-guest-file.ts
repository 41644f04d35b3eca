import { Problem } from '../problems/problem.js';
import type { GuestCommands } from './agent-commands.js';
import { GuestFile } from './guest-file.js';

/**
 * The bytes of a file of the guest, read part by part on demand; the file is closed when the reader stops.
 *
 * @throws Problem if the guest refuses, or returns less than the file's size at opening
 */
export async function* readGuestFile(
  agent: GuestCommands,
  path: string,
  partBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await GuestFile.open(agent, path, 'r');
  let isClosed = false;
  try {
    const size = await file.size();
    let read = 0;
    for (let end = false; !end;) {
      const part = await file.read(partBytes);
      ({ end } = part);
      read += part.bytes.length;
      if (part.bytes.length > 0) yield part.bytes;
    }
    // Files of /proc have size 0, and a file that is appended to grows; but none is shorter than it was.
    if (size !== undefined && read < size)
      throw new Problem('outcome-unknown', `The file had ${size} bytes, but only ${read} could be read.`, {
        command: 'guest-file-read',
      });
    isClosed = true;
    await file.close();
  } finally {
    if (!isClosed) file.abandon();
  }
}
