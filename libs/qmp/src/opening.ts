import type { KnownDialect } from './dialects/dialects.js';
import type { Execution } from './execution.js';
import type { LastErrorCode } from './last-error.js';
import type { Greeting } from './greeting.js';

/** The opening of a session, from connect until commands may be sent. */
export interface Opening {
  /** The connection is up. */
  begin(): void;
  /** Gets each line first. @returns whether the line belonged to the opening. */
  claim(line: Buffer, start: number, end: number): boolean;
  greeted(greeting: Greeting): void;
  /** A line that is not a QMP message. */
  unintelligible(line: Buffer, start: number, end: number): void;
  /** The cause when the deadline passes. */
  timedOut(): OpeningFailure;
  /** The cause when the peer closes. */
  closed(): OpeningFailure;
}

export interface OpeningFailure {
  readonly code: LastErrorCode;
  readonly detail: string;
}

/** The part of a session that an opening needs. */
export interface OpeningSession {
  sendRaw(bytes: Buffer): void;
  request(execution: Execution): void;
  useDialect(dialect: KnownDialect): void;
  opened(greeting: Greeting | null, oob: boolean): void;
  fail(failure: OpeningFailure): void;
}
