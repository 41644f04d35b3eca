import type { Command, QapiModel } from '@qmp-gateway/qapi';
import type { ProblemRow } from './problems.js';

/** Levels of callers, each containing the ones before it. */
export type Level = 'read' | 'operate' | 'configure' | 'host';

/** What the caller knows of a command and the model does not say. */
export interface CommandDescription {
  /** The level a caller needs when no argument says otherwise; `read` commands can also be run with GET. */
  readonly class: Level;
  /** Between which levels the arguments decide; those of `class` when absent. */
  readonly lowestClass?: Level;
  readonly highestClass?: Level;
  /** Beats the summary in the model. */
  readonly summary?: string;
  /** Whether the gateway runs the command at all, and if not, why. */
  readonly offered: true | { readonly reason: string };
  /** Members the schema does not list are taken too (`device_add`). */
  readonly openArguments: boolean;
  readonly example?: { readonly arguments?: unknown; readonly returns?: unknown };
}

export type Describe = (command: Command) => CommandDescription;

export interface DocumentOptions {
  readonly describe: Describe;
  /** The gateway's catalogue of problems. */
  readonly problems: readonly ProblemRow[];
  /** Whose commands they are, which is where they lie below a VM: its monitor's (`qmp`, the default) or its guest agent's. */
  readonly below?: 'qmp' | 'agent';
  readonly title?: string;
  /** Version of the interface described: of the QEMU whose commands these are, or of the gateway. */
  readonly version?: string;
}

export interface GatewayDocumentOptions extends DocumentOptions {
  /** The commands of guest agents, described like those of the model. */
  readonly agent?: { readonly model: QapiModel; readonly describe: Describe };
}
