/** Why a monitor has no session. Stable codes: clients and metrics match on them. */
export type LastErrorCode =
  | 'no-such-file'
  | 'refused'
  | 'no-permission'
  | 'linked-path'
  | 'backlog-full'
  | 'unreachable'
  | 'connect-timeout'
  | 'connect-failed'
  | 'tls-failed'
  | 'tls-closed-before-greeting'
  | 'closed-before-greeting'
  | 'no-greeting'
  | 'no-capabilities-reply'
  | 'negotiation-refused'
  | 'wrong-protocol'
  | 'agent-silent'
  | 'prepare-failed'
  | 'schema-too-large'
  | 'connection-lost'
  | 'connection-reset'
  | 'protocol-error'
  | 'shutdown'
  | 'listening'
  | 'listen-failed'
  | 'insecure-directory';

/** `detail` is for operators (it may contain host paths); `time` is wall-clock milliseconds. */
export interface LastError {
  readonly code: LastErrorCode;
  readonly detail: string;
  readonly time: number;
}
