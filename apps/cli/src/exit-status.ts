/** What a script can tell from the status. A program in a guest (`agent exec`) has its own. */
export const exitStatus = {
  done: 0,
  /** The VM answered with an error, or the gateway does not let these credentials do it. */
  refused: 1,
  /** What was typed is wrong; nothing was sent to a VM. */
  usage: 2,
  /** No VM saw the command: the gateway or the VM is away, or what was named does not exist. */
  notSent: 3,
  /** The command was sent, or work was started, and nobody said what became of it. */
  unknown: 4,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** A fault that this program found itself. */
export class CliFault extends Error {
  override readonly name = 'CliFault';

  /** @param hint what to do about it */
  constructor(
    readonly status: ExitStatus,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** What was typed is wrong. */
export function usageFault(message: string, hint?: string): CliFault {
  return new CliFault(exitStatus.usage, message, hint);
}
