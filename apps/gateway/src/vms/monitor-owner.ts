import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const mostLinks = 8;

/**
 * The user that a VM's monitor socket belongs to; undefined when it cannot be told. Links are followed that root or the
 * gateway's user made: the VM's own user can replace the name of its monitor by a link to anybody's socket.
 */
export function monitorOwner(path: string): number | undefined {
  try {
    let at = path;
    for (let links = 0; links < mostLinks; links++) {
      const status = lstatSync(at);
      if (!status.isSymbolicLink()) return status.uid;
      if (status.uid !== 0 && status.uid !== process.getuid?.()) return undefined;
      at = resolve(dirname(at), readlinkSync(at));
    }
  } catch {
    // It is gone, or out of reach.
  }
  return undefined;
}
