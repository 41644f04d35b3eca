import { asObject, parsedJson } from '@qmp-gateway/qmp';
import { problemCatalogue, type ProblemCode } from '../problems/catalogue.js';
import { Problem } from '../problems/problem.js';
import type { CommandAnswer } from './command-request.js';
import type { CommandTrace } from '../http/command-trace.js';

/** Longer return values are not written down: after a restart only that they were is known. */
const answerBytes = 256 * 1024;

/** What of an answer's trace is said again. */
type KeptTrace = Pick<CommandTrace, 'operation' | 'epoch' | 'cursor' | 'deprecated'>;

/**
 * What is written down of a key: that its command is about to be written, then how that ended, or that it did not come
 * to it after all. A key stands there as the hash of all that it is of.
 */
export type KeyRecord =
  | {
      readonly kind: 'begun';
      readonly key: string;
      readonly body: string;
      readonly at: number;
      readonly operation: string;
    }
  | { readonly kind: 'answered'; readonly key: string; readonly answer: CommandAnswer }
  | { readonly kind: 'forgotten'; readonly key: string };

export function begunLine(key: string, body: string, at: number, operation: string): string {
  return JSON.stringify({ key, body, at, operation });
}

export function answeredLine(key: string, { trace, ...end }: CommandAnswer): string {
  const { operation, epoch, cursor, deprecated } = trace;
  const kept: KeptTrace = { operation, epoch, cursor, deprecated };
  if (!end.ok) {
    const { code, detail, fields } = end.problem;
    return JSON.stringify({ key, problem: { code, detail, fields }, trace: kept });
  }
  const { length } = end.json;
  const returned = length > answerBytes ? { bytes: length } : { json: end.json.toString() };
  return JSON.stringify({ key, ...returned, trace: kept });
}

export function forgottenLine(key: string): string {
  return JSON.stringify({ key });
}

/** @returns undefined for what is no record: the files may have come through anything */
export function readKeyRecord(line: string): KeyRecord | undefined {
  const record = asObject(parsedJson(line)) ?? {};
  const { key, body, at, operation, json, bytes } = record;
  if (typeof key !== 'string') return undefined;
  if (typeof body === 'string' && typeof at === 'number' && typeof operation === 'string')
    return { kind: 'begun', key, body, at, operation };
  const trace = (asObject(record['trace']) ?? {}) as KeptTrace;
  const problem = readProblem(record['problem']) ?? (typeof bytes === 'number' ? notKept(bytes) : undefined);
  if (problem !== undefined) return { kind: 'answered', key, answer: { ok: false, problem, trace } };
  if (typeof json === 'string') return { kind: 'answered', key, answer: { ok: true, json, trace } };
  return Object.keys(record).length === 1 ? { kind: 'forgotten', key } : undefined;
}

function readProblem(value: unknown): Problem | undefined {
  const { code, detail, fields } = asObject(value) ?? {};
  if (typeof code !== 'string' || !Object.hasOwn(problemCatalogue, code) || typeof detail !== 'string')
    return undefined;
  return new Problem(code as ProblemCode, detail, asObject(fields) ?? {});
}

function notKept(bytes: number): Problem {
  const detail = `The first command with this Idempotency-Key was done; its ${bytes} bytes of return value were too many to be kept over a restart of the gateway. Nothing was sent again.`;
  return new Problem('outcome-unknown', detail);
}
