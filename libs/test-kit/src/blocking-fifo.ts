import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import path from 'node:path';

/** A FIFO whose writer blocks until it is released: `pmemsave` into it blocks a QEMU's main loop. */
export interface BlockingFifo {
  readonly path: string;
  /** Lets the writer open it, and discards what it writes. */
  release(): void;
}

/** @param directory for the FIFO, which is removed with it. */
export function blockingFifo(directory: string): BlockingFifo {
  const fifo = path.join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  return {
    path: fifo,
    release: () => closeSync(openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)),
  };
}
