import type { SerialLine } from './serial-line.js';

/** A place in the output of a line: `RUN.BYTES`, where RUN names one keeping of one line. */
export const positionPattern = /^[a-z0-9]+-[a-z0-9]+\.[0-9]{1,15}$/;

export function positionText({ run }: Pick<SerialLine, 'run'>, at: number): string {
  return `${run}.${at}`;
}

/** Where a reader begins, and whether it missed output that nobody counts. */
export interface Beginning {
  readonly at: number;
  readonly lost: boolean;
}

/**
 * Where a reader begins that has read up to a position, or up to none. Of an output that is no longer kept, because the
 * gateway or the VM was another one, it gets all there is.
 */
export function beginningOf(line: SerialLine, after: string | undefined): Beginning {
  const { start, end } = line.output;
  if (after === undefined) return { at: start, lost: false };
  const [run, bytes] = after.split('.');
  const at = Number(bytes);
  if (run !== line.run || at > end) return { at: start, lost: true };
  return { at, lost: at < line.lossAt };
}
