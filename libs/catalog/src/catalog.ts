import type { QapiModel } from '@qmp-gateway/qapi';
import type { ServerKind } from './server-kinds.js';

/** The only format that this release reads and writes. */
export const catalogFormat = 1;

/** The server that a catalog is for, by its greeting (for a guest agent, which has none, by `guest-info`). */
export interface CatalogGreeting {
  /** Prefix of the greeting's `package`; any if absent. */
  readonly package?: string;
  /** Release in the greeting, `major.minor.micro`. */
  readonly version: string;
}

export interface CatalogMeta {
  readonly format: typeof catalogFormat;
  /** Name of the server, e.g. `qemu`. */
  readonly name: string;
  /** Release of the server, `major.minor[.micro]`. */
  readonly version: string;
  readonly kind: ServerKind;
  readonly greeting: CatalogGreeting;
  /** Its source, for people. */
  readonly source?: string;
}

export interface Catalog {
  readonly meta: CatalogMeta;
  readonly model: QapiModel;
  /** The schema's own documentation by definition name; only in local catalogs that were built with it. */
  readonly docs: ReadonlyMap<string, string>;
}

/** A catalog file that cannot be used: damaged, or of an unknown format. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';

  constructor(
    readonly fileName: string,
    readonly problem: string,
  ) {
    super(`${fileName}: ${problem}`);
  }
}
