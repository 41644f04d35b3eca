import { pino, type Logger } from 'pino';
import type { LogLevel } from './settings.js';

/** The logger's place among Nest's providers. */
export const LoggerToken = Symbol('logger');

/** JSON lines on stderr: stdout is for what scripts read. */
export function createLogger(level: LogLevel): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: false }),
  );
}
