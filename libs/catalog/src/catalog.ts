import type { QapiModel } from '@qmp-gateway/qapi';
import type { ServerKind } from './command-class.js';

/** The one format this release reads and writes. */
export const catalogFormat = 1;

/** Which server a catalog is for, told by its greeting (a guest agent has none: by `guest-info`). */
export interface CatalogGreeting {
  /** What the greeting's `package` starts with; any when absent. */
  readonly package?: string;
  /** Release the greeting tells, `major.minor.micro`. */
  readonly version: string;
}

export interface CatalogMeta {
  readonly format: typeof catalogFormat;
  /** What the server is called, e.g. `qemu`. */
  readonly name: string;
  /** Release of the server, `major.minor[.micro]`. */
  readonly version: string;
  readonly kind: ServerKind;
  readonly greeting: CatalogGreeting;
  /** What it was made from, for people. */
  readonly source?: string;
}

export interface Catalog {
  readonly meta: CatalogMeta;
  readonly model: QapiModel;
  /** The schema's own documentation by definition name; only in local catalogs made with it. */
  readonly docs: ReadonlyMap<string, string>;
}

/** A catalog file that can't be used: damaged, or of a format this release does not know. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';

  constructor(
    readonly fileName: string,
    readonly problem: string,
  ) {
    super(`${fileName}: ${problem}`);
  }
}
