import type { ConnectionFlags } from '../connection.js';

/** Options of `exec`. */
export interface RunCommandFlags extends ConnectionFlags {
  readonly json?: string;
  readonly label?: readonly string[];
  readonly timeout?: string;
  readonly dryRun?: boolean;
  readonly idempotencyKey?: string;
  readonly epoch?: string;
  readonly wait?: boolean;
  readonly output?: string;
}
