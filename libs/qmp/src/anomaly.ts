/** Odd behaviour of a server that ends nothing; for counters and rate-limited logs. */
export type AnomalyKind =
  | 'foreign-reply'
  | 'unintelligible-line'
  | 'overlong-line'
  | 'reply-without-id'
  | 'early-events-dropped'
  | 'overlong-event'
  | 'overlong-timestamp'
  | 'peer-refused';
