import { pino, type Logger } from 'pino';
import { escapeControls } from './log-line.js';
import { standardError } from './log-output.js';
import { RepeatLimit } from './repeat-limit.js';
import type { LogLevel } from './settings.js';

/** The logger's place among Nest's providers. */
export const LoggerToken = Symbol('logger');

/**
 * JSON lines on stderr: stdout is for what scripts read. A line that comes again and again for the same VM is held back
 * and counted: `repeated` in the next one that is written. So are faults of ours, each by itself.
 */
export function createLogger(
  level: LogLevel,
  limit = new RepeatLimit(),
  destination: pino.DestinationStream = standardError,
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        streamWrite: escapeControls,
        logMethod([fields, ...rest]: unknown[], method, lineLevel) {
          const about: Record<string, unknown> =
            typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : { message: fields };
          const { vm, kind, message = rest[0], err } = about;
          const held = limit.admit(JSON.stringify([lineLevel, vm, kind, message, placeOf(err)]));
          if (held === undefined) return;
          if (held === 0) Reflect.apply(method, this, [fields, ...rest]);
          else if (typeof fields === 'string') Reflect.apply(method, this, [{ repeated: held }, fields, ...rest]);
          else Reflect.apply(method, this, [{ ...about, repeated: held }, ...rest]);
        },
      },
    },
    destination,
  );
}

/** Where an error was thrown, which distinguishes it from others; its message may differ each time. */
function placeOf(error: unknown): string | undefined {
  return error instanceof Error ? /^ {4}at .{1,300}/m.exec(error.stack ?? '')?.[0] : undefined;
}
