import type { Warnings } from '../warnings.js';

const mostWarnings = 1000;

/** Passes each warning on once: whoever makes odd files could make many, and each look finds them again. */
export class WarningsOnce implements Warnings {
  readonly #given = new Set<string>();

  constructor(private readonly log: Warnings) {}

  warn(message: string): void {
    if (this.#given.has(message) || this.#given.size >= mostWarnings) return;
    this.#given.add(message);
    this.log.warn(message);
    if (this.#given.size === mostWarnings) this.log.warn('further warnings of discovery are left out');
  }
}
