import type { AuditLog } from '../access/audit/audit-log.js';
import type { SocketLeavers } from '../upgrades/socket-connection.js';
import type { StreamCounts } from '../upgrades/stream-counts.js';
import type { SerialLines } from './serial-lines.js';

/** The parts of the gateway that streams of serial lines use. */
export interface SerialStreamParts {
  readonly lines: SerialLines;
  readonly audit: AuditLog;
  readonly leavers: SocketLeavers;
  readonly counts: StreamCounts;
}

export const SERIAL_STREAM_PARTS = Symbol('SerialStreamParts');
