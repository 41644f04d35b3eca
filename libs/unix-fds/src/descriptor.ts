import { closeSync } from 'node:fs';
import { nativeAddon } from './native-addon.js';

/** An open file descriptor of this process, and the duty to close it. */
export class Descriptor {
  #number: number;

  /** @param number open, and from now on closed by nobody else */
  constructor(number: number) {
    this.#number = number;
  }

  /** @throws Error when it is closed: the number may be that of another file by now */
  get number(): number {
    if (this.#number < 0) throw new Error('the descriptor is closed');
    return this.#number;
  }

  get isOpen(): boolean {
    return this.#number >= 0;
  }

  /** Makes reads and writes wait, for whoever the open file is passed to. Of all descriptors of the same open file. */
  setBlocking(): void {
    nativeAddon().setBlocking(this.number);
  }

  /** Closes it, once. */
  close(): void {
    if (this.#number < 0) return;
    const number = this.#number;
    this.#number = -1;
    closeSync(number);
  }
}
