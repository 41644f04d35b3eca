import type { Monitor, Settlement } from '@qmp-gateway/qmp';

/** Introspection is some 200 KB and takes QEMU 60-90 ms; a busy host may need far longer. */
export const queryDeadlineMs = 10_000;

/** How the gateway asks a VM while its session is prepared. */
export type Run = Monitor['run'];

/** True for an answer that came and is longer than what is taken. */
export function isTooLong(settlement: Settlement): settlement is Extract<Settlement, { kind: 'unknown' }> {
  return settlement.kind === 'unknown' && settlement.tooLong === true;
}

/** @throws Error naming the command, for every outcome but an answer */
export function valueOf(command: string, settlement: Settlement): Buffer {
  if (settlement.kind === 'return') return settlement.value;
  throw new Error(`${command}: ${reasonOf(settlement)}`);
}

function reasonOf(settlement: Exclude<Settlement, { kind: 'return' }>): string {
  switch (settlement.kind) {
    case 'error':
      return settlement.desc === '' ? 'an error without a description' : settlement.desc;
    case 'too-large':
      return `the message is over ${settlement.limit} bytes`;
    case 'unreadable':
      return 'the server cannot read the message';
    default:
      return settlement.cause;
  }
}

/** For what a session can do without. */
export async function queryIfAnswered(run: Run, command: string, json?: string): Promise<Buffer | undefined> {
  const settlement = await run(command, json, { deadlineMs: queryDeadlineMs });
  return settlement.kind === 'return' ? settlement.value : undefined;
}
