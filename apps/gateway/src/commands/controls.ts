import type { IncomingHttpHeaders } from 'node:http';
import { nearestNames } from '@qmp-gateway/qapi';
import { parametersOf } from '../listeners/query-parameters.js';
import { Problem, type Fault } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import type { CommandRequest } from './command-request.js';

/** How a command is to be run, besides its arguments. */
export type Controls = Pick<CommandRequest, 'timeoutMs' | 'dryRun' | 'int64' | 'idempotencyKey' | 'epoch'>;

const queryControls = ['timeout', 'dryRun', 'int64'];
/** In characters, whatever way it comes. */
export const longestIdempotencyKey = 255;

/**
 * The controls of a request: query parameters on POST, headers on both methods.
 *
 * @param query of a POST; undefined on GET, where the query holds arguments
 * @throws Problem `invalid-request` with all faults: unknown controls with the nearest name, values that can't be read
 */
export function readControls(
  headers: IncomingHttpHeaders,
  query: string | undefined,
  otherParameters: readonly string[] = [],
): Controls {
  const faults: Fault[] = [];
  const controls: { -readonly [Key in keyof Controls]: Controls[Key] } = {};
  if (query !== undefined && query !== '') readQuery(query, controls, faults, otherParameters);
  const timeout = header(headers, 'request-timeout');
  if (timeout !== undefined) setTimeoutMs(controls, timeout, 'Request-Timeout', faults);
  const dryRun = header(headers, 'dry-run');
  if (dryRun !== undefined) setDryRun(controls, dryRun, 'Dry-Run', faults);
  const int64 = headers.accept === undefined ? undefined : /;\s*int64=([^;,\s]*)/.exec(headers.accept)?.[1];
  if (int64 !== undefined) setInt64(controls, int64, 'Accept', faults);
  const key = header(headers, 'idempotency-key');
  if (key !== undefined) {
    if (key.length === 0 || key.length > longestIdempotencyKey)
      faults.push({ pointer: 'Idempotency-Key', message: `must be 1 to ${longestIdempotencyKey} characters` });
    else controls.idempotencyKey = key;
  }
  const epoch = header(headers, 'qmp-vm-epoch');
  if (epoch !== undefined) controls.epoch = epoch;
  if (faults.length > 0)
    throw new Problem(
      'invalid-request',
      `The request's controls are wrong: ${faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`,
      { errors: faults },
    );
  return controls;
}

type Writable = { -readonly [Key in keyof Controls]: Controls[Key] };

function readQuery(query: string, controls: Writable, faults: Fault[], otherParameters: readonly string[]): void {
  for (const [name, value] of parametersOf(query)) {
    if (name === 'timeout') setTimeoutMs(controls, value, name, faults);
    else if (name === 'dryRun') setDryRun(controls, value, name, faults);
    else if (name === 'int64') setInt64(controls, value, name, faults);
    else if (!otherParameters.includes(name)) {
      const suggestions = nearestNames(name, [...queryControls, ...otherParameters]);
      faults.push({
        pointer: name.slice(0, 100),
        message: 'is no control (on POST the query holds only controls, the body holds the arguments)',
        ...(suggestions.length > 0 ? { suggestions } : {}),
      });
    }
  }
}

function setTimeoutMs(controls: Writable, value: string, name: string, faults: Fault[]): void {
  const ms = parseDuration(value);
  if (ms === undefined || ms <= 0)
    faults.push({ pointer: name, message: 'must be a duration such as 5, 500ms, 5s or 10m' });
  else controls.timeoutMs = ms;
}

function setDryRun(controls: Writable, value: string, name: string, faults: Fault[]): void {
  if (value === 'true' || value === 'false') controls.dryRun = value === 'true';
  else faults.push({ pointer: name, message: 'must be true or false' });
}

function setInt64(controls: Writable, value: string, name: string, faults: Fault[]): void {
  if (value === 'string' || value === 'number') controls.int64 = value;
  else faults.push({ pointer: name, message: 'int64 must be string or number' });
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
