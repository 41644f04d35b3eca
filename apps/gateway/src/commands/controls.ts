import type { IncomingMessage } from 'node:http';
import { parametersOf } from '../http/query-parameters.js';
import { invalid } from '../http/resource/read-shape.js';
import { mostSuggested, unknownMember } from '../http/resource/shape.js';
import type { Fault } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import type { CommandRequest } from './command-request.js';

/** How a command is to be run, besides its arguments. */
export type Controls = Pick<
  CommandRequest,
  'timeoutMs' | 'timeoutIn' | 'dryRun' | 'int64' | 'idempotencyKey' | 'epoch'
>;
/** The headers of a request, read by Node and as they came. */
type ReceivedHeaders = Pick<IncomingMessage, 'headers' | 'rawHeaders'>;
type Writable = { -readonly [Key in keyof Controls]: Controls[Key] };

/** In characters, however it is sent. */
export const longestIdempotencyKey = 255;

/** Each reads the value of a control, or says what it must be. */
function takeTimeout(controls: Writable, value: string): string | undefined {
  const ms = parseDuration(value);
  if (ms === undefined || ms <= 0) return 'must be a duration of more than 0, such as 5, 500ms, 5s or 10m';
  controls.timeoutMs = ms;
  controls.timeoutIn = 'query';
  return undefined;
}

function takeDryRun(controls: Writable, value: string): string | undefined {
  if (value !== 'true' && value !== 'false') return 'must be true or false';
  controls.dryRun = value === 'true';
  return undefined;
}

function takeInt64(controls: Writable, value: string): string | undefined {
  if (value !== 'string' && value !== 'number') return 'must be string or number';
  controls.int64 = value;
  return undefined;
}

const queryControls: Readonly<Record<string, (controls: Writable, value: string) => string | undefined>> = {
  timeout: takeTimeout,
  dryRun: takeDryRun,
  int64: takeInt64,
};
const queryNames = Object.keys(queryControls);
/** What each of them becomes. */
const memberOf = { timeout: 'timeoutMs', dryRun: 'dryRun', int64: 'int64' } as const;

/**
 * The controls of a request: query parameters on POST, headers on both methods.
 *
 * @param request its headers, and as they came
 * @param query of a POST; undefined on GET, where the query holds arguments
 * @param otherParameters what the query may hold besides
 * @throws Problem `invalid-request` with all faults: unknown controls with the nearest name, values that can't be read
 */
export function readControls(
  request: ReceivedHeaders,
  query: string | undefined,
  otherParameters: readonly string[] = [],
): Controls {
  const controls: Writable = {};
  const faults = query === undefined || query === '' ? noFaults : readQuery(query, controls, otherParameters);
  const { headers } = request;
  const { 'qmp-vm-epoch': epoch, accept } = headers;
  if (epoch !== undefined) controls.epoch = single(epoch);
  const mayHaveMore =
    headers['request-timeout'] ??
    headers['dry-run'] ??
    headers['idempotency-key'] ??
    (accept?.includes('int64') === true || controls.epoch?.includes(joint));
  const more = mayHaveMore === undefined || mayHaveMore === false ? noFaults : readHeaders(request, controls);
  if (faults.length + more.length > 0) throw invalid(faults.length > 0 ? 'query' : 'header', [...faults, ...more]);
  return controls;
}

const noFaults: readonly Fault[] = [];
/** What Node puts between the values of a header that is sent several times. */
const joint = ', ';
const moreThanOnce = 'given more than once';

function readHeaders(request: ReceivedHeaders, controls: Writable): Fault[] {
  const { 'request-timeout': timeout, 'dry-run': dryRun, 'idempotency-key': key, accept } = request.headers;
  const int64 = accept === undefined ? undefined : /;\s*int64=([^;,\s]*)/.exec(accept)?.[1];
  const read: Writable = {};
  const messages = {
    'Request-Timeout':
      timeout === undefined ? undefined : (takeTimeout(read, single(timeout)) ?? conflict('timeout', controls, read)),
    'Dry-Run':
      dryRun === undefined ? undefined : (takeDryRun(read, single(dryRun)) ?? conflict('dryRun', controls, read)),
    Accept: int64 === undefined ? undefined : (takeInt64(read, int64) ?? conflict('int64', controls, read)),
    'Idempotency-Key': key === undefined ? undefined : takeKey(read, single(key)),
    'QMP-VM-Epoch': undefined,
  };
  if (read.timeoutMs !== undefined) read.timeoutIn = 'header';
  Object.assign(controls, read);
  return Object.entries(messages).flatMap(([name, wrong]) => {
    const message = isRepeated(name, request) ? moreThanOnce : wrong;
    return message === undefined ? [] : [{ in: 'header' as const, pointer: `/${name}`, message }];
  });
}

/** Node joins the values of a header that is sent several times. `Accept` may be. */
function isRepeated(name: string, { headers, rawHeaders }: ReceivedHeaders): boolean {
  const wanted = name.toLowerCase();
  if (wanted === 'accept' || headers[wanted]?.includes(joint) !== true) return false;
  return rawHeaders.filter((each, at) => at % 2 === 0 && each.toLowerCase() === wanted).length > 1;
}

/** It cannot be known which of two values was meant. */
function conflict(name: keyof typeof memberOf, ofQuery: Controls, ofHeader: Controls): string | undefined {
  const member = memberOf[name];
  if (ofQuery[member] === undefined || ofQuery[member] === ofHeader[member]) return undefined;
  return `does not say the same as ${name} in the query`;
}

function readQuery(query: string, controls: Writable, otherParameters: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  const parameters = parametersOf(query);
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    const read = Object.hasOwn(queryControls, name) ? queryControls[name] : undefined;
    const message = values.length > 1 ? moreThanOnce : read?.(controls, values[0] ?? '');
    if (read !== undefined && message !== undefined) faults.push({ in: 'query', pointer: `/${name}`, message });
    if (read !== undefined || otherParameters.includes(name)) continue;
    const known = [...queryNames, ...otherParameters];
    const what = 'the query of a POST holds only controls, its body holds the arguments; it takes';
    faults.push(
      ...unknownMember(name, known, { what, suggests: faults.length < mostSuggested }).map((each) => ({
        in: 'query' as const,
        ...each,
      })),
    );
  }
  return faults;
}

function takeKey(controls: Writable, key: string): string | undefined {
  if (key.length === 0 || key.length > longestIdempotencyKey) return `must be 1 to ${longestIdempotencyKey} characters`;
  controls.idempotencyKey = key;
  return undefined;
}

const single = (value: string | string[]) => (typeof value === 'string' ? value : value.join(', '));
