import { GatewayClosed, GatewayProblem, GatewayUnreachable, type ProblemDocument } from '@qmp-gateway/client';
import { keyAtPointer } from './arguments/typed-arguments.js';
import { CliFault } from './exit-status.js';
import { NotConnected } from './not-connected.js';
import { clockText } from './output/quantities.js';
import { oneLine } from './output/terminal-text.js';

/** Keys of a `device_add` that the VM does not list among the properties of the driver. */
export interface UnlistedKeys {
  readonly driver: string;
  readonly keys: readonly string[];
}

/** What is known about the request that failed. */
export interface FailureContext {
  /** As the user called this program. */
  readonly program: string;
  readonly address?: string | undefined;
  readonly hasToken?: boolean | undefined;
  /** Keys that were typed, by JSON Pointer into the arguments. */
  readonly keys?: ReadonlyMap<string, string> | undefined;
  readonly unlisted?: UnlistedKeys | undefined;
}

/** One line that says what went wrong, and what to do about it where that is known. */
export function failureText(error: unknown, context: FailureContext): string {
  const [message, hint] = describe(error, context);
  return oneLine(hint === undefined || message.includes(hint) ? message : `${message} (${hint})`);
}

function describe(error: unknown, context: FailureContext): [message: string, hint: string | undefined] {
  if (error instanceof CliFault) return [error.message, error.hint?.replace('qmpctl', context.program)];
  if (error instanceof GatewayProblem) return [problemText(error, context.keys), problemHint(error, context)];
  if (error instanceof GatewayUnreachable) return unreachable(error, context);
  if (error instanceof GatewayClosed) return [error.message, undefined];
  return [error instanceof Error ? error.message : String(error), undefined];
}

function unreachable(
  { message, cause, status }: GatewayUnreachable,
  { address = 'the gateway' }: FailureContext,
): [string, string | undefined] {
  if (cause instanceof NotConnected) return [`${address} cannot be reached: ${cause.message}`, undefined];
  if (status !== undefined) return [`${address}: ${message}`, 'is the address right?'];
  return [`${address}: ${message}`, 'what became of a command that was sent is not known'];
}

/** What a problem says, without hints. @param keys that were typed, by JSON Pointer into the arguments */
export function problemText(problem: ProblemDocument, keys: ReadonlyMap<string, string> = new Map()): string {
  const { code, title, detail = title ?? code, vm, errors = [], lastError } = problem;
  const where = vm === undefined || detail.includes(vm) ? '' : `${vm}: `;
  // A fault of the request as a whole is what the sentence says.
  if (errors.some(({ pointer }) => pointer !== '')) {
    const faults = errors.map(({ pointer, message, suggestions }) => {
      const key = keyAtPointer(pointer, keys);
      return `${key === '' ? '' : `${key}: `}${message}${meant(suggestions, message)}`;
    });
    return `${where}${faults.join('; ')}`;
  }
  const why = lastError === undefined ? '' : `, ${lastError.detail ?? lastError.code}`;
  return `${where}${code}: ${detail.replace(/\.$/, '')}${detail.includes(why) ? '' : why}`;
}

function problemHint(problem: ProblemDocument, { program, hasToken, unlisted }: FailureContext): string | undefined {
  const { code, suggestions, detail = '', operation, vm, retryAt, qmp, outcome } = problem;
  if (code === 'unauthenticated')
    return hasToken === true
      ? `the token has expired or was revoked: run ${program} login`
      : `run ${program} login URL, or set QMPGW_TOKEN`;
  if (outcome === 'unknown' && operation !== undefined)
    return `it may go on: ${program} operations ${vm ?? ''} ${operation.slice(operation.lastIndexOf('/') + 1)}`;
  if (retryAt !== undefined) return `dialled again at ${clockText(retryAt)}`;
  if (qmp !== undefined) return unlisted === undefined ? undefined : unlistedText(unlisted, vm ?? 'VM', program);
  return meant(suggestions, detail).replace(/^ \(|\)$/g, '') || undefined;
}

function unlistedText({ driver, keys }: UnlistedKeys, vm: string, program: string): string {
  return `the VM lists no ${keys.join(', ')}: ${program} exec ${vm} device-list-properties typename=${driver}`;
}

/** What was perhaps meant, unless the sentence says so already. */
function meant(suggestions: readonly string[] | undefined, sentence: string): string {
  const missing = (suggestions ?? []).filter((name) => !sentence.includes(name));
  return missing.length === 0 ? '' : ` (did you mean ${missing.join(' or ')}?)`;
}
