import { readFileSync } from 'node:fs';

/** Descriptors for files, listeners and what the runtime opens. */
const ownDescriptors = 32;

/**
 * How many connections of clients are taken: as many as the settings say, but never so many that the process has no
 * descriptor left for its VMs, of which each takes one or two. A quarter of them is kept for those.
 */
export function connectionBound(wanted: number, descriptors: number | undefined = openFileLimit()): number {
  if (descriptors === undefined) return wanted;
  return Math.max(1, Math.min(wanted, Math.floor(descriptors * 0.75) - ownDescriptors));
}

/** The process's limit of open files, which Node raises to the hard one at its start; undefined where there is none to read. */
function openFileLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files\s+([0-9]+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
