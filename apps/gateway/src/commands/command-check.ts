import type { Problem } from '../problems/problem.js';

/** What has to be known of a command beyond its arguments: before it is sent, or before its answer is given away. */
export interface CommandCheck {
  /** Asked of the VM in the turn of the command, which is sent only when the answer stands in no way. */
  readonly question?: CheckQuestion;
  /** Why the caller does not get this answer; undefined when they may. */
  withhold?(answer: Buffer): Problem | undefined;
}

export interface CheckQuestion {
  readonly command: string;
  readonly argumentsJson: string;
  /** Why the command must not be sent after this answer; undefined when it may. */
  refusal(answer: Buffer): Problem | undefined;
}
