/** What the headers of an answer say about the way of its command. */
export interface CommandTrace {
  readonly operation?: string | undefined;
  readonly epoch?: string | undefined;
  /** Event position just before the command was written. */
  readonly cursor?: string | undefined;
  readonly queueMs?: number | undefined;
  readonly qmpMs?: number | undefined;
  readonly deprecated?: boolean | undefined;
  readonly replayed?: boolean | undefined;
  /** What of `Prefer` was honoured. */
  readonly preference?: string | undefined;
  /** The work goes on: where it can be asked for. Makes the answer a 202. */
  readonly location?: string | undefined;
}
