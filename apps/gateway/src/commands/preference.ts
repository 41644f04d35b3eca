import { longestWaitMs } from '../settings/longest-wait.js';
import { invalid } from '../http/resource/read-shape.js';
import { parseDuration } from '../settings/duration.js';

/** What a caller prefers to have waited for (RFC 7240). */
export interface Preference {
  /** Milliseconds from the request's arrival in which the work may end; 0: answer at once. */
  readonly waitMs: number;
  /** As `Preference-Applied` tells it. */
  readonly applied: string;
}

/**
 * The `Prefer` header: `wait=30`, `respond-async`, or both. Other preferences are ignored, as the RFC asks.
 *
 * @returns undefined when there is none of ours
 * @throws Problem `invalid-request` for a `wait` that is no duration
 */
export function readPreference(header: string | readonly string[] | undefined): Preference | undefined {
  if (header === undefined) return undefined;
  let waitMs: number | undefined;
  let isAsync = false;
  for (const part of [header].flat().join(',').split(',')) {
    const [, name = '', value = ''] = /^\s*([^=;\s]+)\s*(?:=\s*"?([^";]*)"?)?/.exec(part) ?? [];
    if (name.toLowerCase() === 'respond-async') isAsync = true;
    else if (name.toLowerCase() === 'wait') waitMs = Math.min(readWait(value.trim()), longestWaitMs);
  }
  if (waitMs === undefined && !isAsync) return undefined;
  const wait = waitMs === undefined ? '' : `wait=${waitMs / 1000}`;
  return {
    waitMs: waitMs ?? 0,
    applied: [isAsync ? 'respond-async' : '', wait].filter((text) => text !== '').join(', '),
  };
}

function readWait(value: string): number {
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  const message = 'wait must be a duration such as 30, 500ms, 30s or 10m';
  throw invalid('header', [{ pointer: '/Prefer', message }]);
}
