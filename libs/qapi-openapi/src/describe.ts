import type { Command } from '@qmp-gateway/qapi';
import type { ProblemRow } from './problems.js';

/**
 * Levels of callers, each containing the ones before it. Declared here once more, because this package does not depend on
 * the catalog, which gives commands their classes.
 */
export type Level = 'read' | 'operate' | 'configure' | 'host';

/** What the caller knows about a command that is not in the model. */
export interface CommandDescription {
  /** The level that a caller needs unless arguments change it; `read` commands can also be run with GET. */
  readonly class: Level;
  /** The lowest and highest level over all arguments; `class` if absent. */
  readonly lowestClass?: Level;
  readonly highestClass?: Level;
  /** Takes precedence over the summary in the model. */
  readonly summary?: string;
  /** Whether the gateway runs the command at all, and why not. */
  readonly offered: true | { readonly reason: string };
  /** Accepts members that the schema does not list (`device_add`). */
  readonly openArguments: boolean;
  readonly example?: { readonly arguments?: unknown; readonly returns?: unknown };
}

export type Describe = (command: Command) => CommandDescription;

export interface DocumentOptions {
  readonly describe: Describe;
  /** The gateway's catalogue of problems. */
  readonly problems: readonly ProblemRow[];
  /**
   * Whose commands they are, which decides their path below a VM: its monitor's (`qmp`, the default) or its guest
   * agent's.
   */
  readonly below?: 'qmp' | 'agent';
  readonly title?: string;
  /** Version of the described interface: that of the QEMU with these commands, or of the gateway. */
  readonly version?: string;
}
