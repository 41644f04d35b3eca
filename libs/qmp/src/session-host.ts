import type { AnomalyKind } from './anomaly.js';
import type { Clock } from './clock.js';
import type { CommandNumbers } from './command-numbers.js';
import type { DescriptorPassage } from './descriptor-passage.js';
import type { KnownDialect } from './dialects/dialects.js';
import type { LastErrorCode } from './last-error.js';
import type { QmpEvent, SessionInfo } from './session-info.js';

/** The owner of a session: its monitor. */
export interface SessionHost {
  /** Commands may be sent. Events that came earlier follow at once. */
  opened(info: SessionInfo): void;
  event(event: QmpEvent, info: SessionInfo): void;
  /** An event of that name came that is too large to be told. */
  eventLeftOut(name: string, info: SessionInfo): void;
  /** An in-band command was answered: its place is free. */
  answered(): void;
  /** The agent has not answered for a handshake's time; `answered` tells when it did. */
  silent(): void;
  anomaly(kind: AnomalyKind, detail: string): void;
  /** Whoever was told of a line threw this: the session ends now. @throws it again, when nobody wants to know */
  failed(error: unknown): void;
  /** The session is over; called once. What was in flight is settled afterwards. */
  ended(code: LastErrorCode, detail: string): void;
}

export interface SessionOptions {
  readonly dialect: KnownDialect;
  /** The greeting may choose another dialect. */
  readonly detect: boolean;
  readonly transport: 'unix' | 'tcp' | 'tls';
  readonly clock: Clock;
  /** Over greeting and negotiation together. */
  readonly handshakeTimeoutMs: number;
  readonly lineBytes: number;
  readonly descriptorPassage?: DescriptorPassage | undefined;
  /** Shared by all sessions of a monitor. */
  readonly numbers: CommandNumbers;
}
