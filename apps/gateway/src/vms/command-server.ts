import type { ServerKind } from '@qmp-gateway/catalog';
import type { LastError, Monitor } from '@qmp-gateway/qmp';
import type { VmSchema } from '../schemas/vm-schema.js';
import type { CommandQueue } from './command-queue.js';

/** Who runs commands: the monitor of a VM, or the agent in its guest. Each has its own connection, queue and model. */
export interface CommandServer {
  /** Of the VM. */
  readonly id: string;
  readonly kind: ServerKind | null;
  readonly monitor: Pick<Monitor, 'execute' | 'places' | 'resynchronize' | 'state'>;
  readonly queue: CommandQueue;
  /** Undefined until the first session. */
  readonly schema: VmSchema | undefined;
  /** Name of the present session, or of the last one. */
  readonly epoch: string | null;
  readonly ready: boolean;
  /** True while it is worth waiting: a session is being made. */
  readonly arriving: boolean;
  /** The latest reason for having no session. */
  readonly lastError: LastError | null;
  /** What a refusal says of it, when it takes no commands. */
  readonly condition: string;
  /**
   * Calls back once, at the next change of state.
   * @returns a function that takes the wish back
   */
  onceChanged(callback: () => void): () => void;
}
