import type { AuthenticatedContext } from '../../access/authenticated-request.js';
import type { RemoteVm } from '../fleet-view.js';
import type { CommandAsker, CommandRequest } from '../../commands/command-request.js';
import type { CommandTrace } from '../../http/command-trace.js';
import { problemCatalogue, type Outcome, type ProblemCode } from '../../problems/catalogue.js';
import { Problem, type ProblemFields } from '../../problems/problem.js';
import { GatheredCall, type AnswerTaker } from './gathered-call.js';
import type { CallParts } from './owner-call.js';

/** Nothing is sent to a VM for it. */
const accessMs = 10_000;

/**
 * A key goes to the owner in a header, which has fewer characters than JSON and no blanks at its ends. Changed on the way,
 * two keys could become one, and a command be taken for the repetition of another.
 * @throws Problem `invalid-request` for a key that no header can hold
 */
export function requireSendable({ idempotencyKey: key }: CommandRequest): void {
  if (key === undefined || (headerText(key) === key && key.trim() === key)) return;
  const message = 'must have no blanks at its ends, and only characters of Latin-1, for a VM of another node';
  throw new Problem('invalid-request', `idempotencyKey ${message}.`, {
    errors: [{ pointer: '/idempotencyKey', message }],
  });
}

/** Asks for a command that came by a fan-out or a JSON-RPC connection at the node of its VM, as a request of its own. */
export function askRemotely(
  parts: CallParts,
  request: CommandRequest,
  vm: RemoteVm,
  { asker, mostBytes }: { readonly asker: CommandAsker; readonly mostBytes: number },
): void {
  const { principal, arrivedAt, timeoutMs, command } = request;
  const call = new GatheredCall(
    parts,
    { vm, principal, arrivedAt, timeoutMs, isCommand: true },
    {
      mostBytes,
      answered: ({ status, lines }, body) => {
        const trace = traceOf(lines);
        if (status < 300) asker.answered({ ok: true, json: body, trace });
        else asker.answered({ ok: false, problem: toldProblem(body, vm.id), trace });
      },
      failed: (problem) => asker.answered({ ok: false, problem: problem.about({ vm: vm.id, command }), trace: {} }),
    },
  );
  call.begin(commandBytes(request));
}

/** Asks the node of a VM what `POST /v1/access` asks. @returns its answer as JSON @throws Problem */
export function askAccess(
  parts: CallParts,
  { principal, arrivedAt, requestId }: AuthenticatedContext,
  vm: RemoteVm,
  { json, mostBytes }: { readonly json: string; readonly mostBytes: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const taker: AnswerTaker = {
      mostBytes,
      answered: ({ status }, body) => {
        if (status < 300) resolve(body.toString());
        else reject(toldProblem(body, vm.id));
      },
      failed: reject,
    };
    const body = Buffer.from(json);
    const call = new GatheredCall(parts, { vm, principal, arrivedAt, timeoutMs: accessMs, isCommand: false }, taker);
    call.begin(Buffer.concat([Buffer.from(`${postLines('/v1/access', body.length, requestId)}\r\n`, 'latin1'), body]));
  });
}

function postLines(path: string, length: number, requestId: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${length}\r\nX-Request-Id: ${requestId}\r\n`
  );
}

function commandBytes(request: CommandRequest): Buffer {
  const { vm, agent, command, outOfBand, requestId, traceparent, arguments: args } = request;
  const json = args.kind === 'json' ? Buffer.from(args.json) : Buffer.from('{}');
  const server = `/v1/vms/${encodeURIComponent(vm)}/${agent === true ? 'agent' : 'qmp'}`;
  const isMessage = outOfBand === true;
  const start = Buffer.from(`{"exec-oob":${JSON.stringify(command)},"arguments":`);
  const body = isMessage ? Buffer.concat([start, json, Buffer.from('}')]) : json;
  const path = isMessage ? server : `${server}/${encodeURIComponent(command)}`;
  let head = postLines(path, body.length, requestId);
  if (traceparent !== undefined) head += `Traceparent: ${traceparent}\r\n`;
  return Buffer.concat([Buffer.from(`${head}${controlLines(request)}\r\n`, 'latin1'), body]);
}

function controlLines({ timeoutMs, dryRun, int64, idempotencyKey, epoch }: CommandRequest): string {
  let lines = '';
  if (timeoutMs !== undefined) lines += `Request-Timeout: ${timeoutMs}ms\r\n`;
  if (dryRun !== undefined) lines += `Dry-Run: ${dryRun}\r\n`;
  if (int64 !== undefined) lines += `Accept: application/json;int64=${int64}\r\n`;
  if (idempotencyKey !== undefined) lines += `Idempotency-Key: ${headerText(idempotencyKey)}\r\n`;
  if (epoch !== undefined) lines += `QMP-VM-Epoch: ${headerText(epoch)}\r\n`;
  return lines;
}

/** What cannot stand in a header is no epoch that the owner knows; a key that has it is refused before. */
function headerText(value: string): string {
  return value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
}

function traceOf(lines: string): CommandTrace {
  const value = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(lines)?.[1];
  return {
    epoch: value('QMP-VM-Epoch'),
    cursor: value('QMP-Event-Cursor'),
    operation: value('QMP-Operation'),
  };
}

/** The owner's problem as one of this node's, to be told in a line or a message. */
function toldProblem(body: Buffer, vm: string): Problem {
  try {
    const { code, detail, outcome, retryable, ...fields } = JSON.parse(body.toString()) as ProblemFields & {
      code: string;
      detail: string;
    };
    if (!Object.hasOwn(problemCatalogue, code)) return new Problem('outcome-unknown', `${code}: ${detail}`, { vm });
    const kept = { ...fields, outcome: outcome as Outcome, retryable: retryable === true };
    return new Problem(code as ProblemCode, detail, kept);
  } catch {
    return new Problem('outcome-unknown', 'The answer of the node cannot be read.', { vm });
  }
}
