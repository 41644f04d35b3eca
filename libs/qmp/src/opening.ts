import type { Dialect } from './dialects/dialect.js';
import type { Execution } from './execution.js';
import type { FaultCode } from './fault.js';
import type { Greeting } from './session-info.js';

/** How a session begins, from connect until commands may be sent. */
export interface Opening {
  /** The connection is up. */
  begin(): void;
  /** Sees each line first. @returns whether the line was the opening's own business. */
  claim(line: Buffer, start: number, end: number): boolean;
  greeted(greeting: Greeting): void;
  /** A line that is no QMP message. */
  unintelligible(line: Buffer, start: number, end: number): void;
  /** What it means that the deadline passed. */
  timedOut(): OpeningFault;
  /** What it means that the peer closed. */
  closed(): OpeningFault;
}

export interface OpeningFault {
  readonly code: FaultCode;
  readonly detail: string;
}

/** What an opening can do to its session. */
export interface OpeningSession {
  sendRaw(bytes: Buffer): void;
  request(execution: Execution): void;
  useDialect(dialect: Dialect): void;
  opened(greeting: Greeting | null, oob: boolean): void;
  fail(fault: OpeningFault): void;
}
