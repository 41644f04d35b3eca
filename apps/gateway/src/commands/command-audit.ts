import { redactedArguments } from '@qmp-gateway/catalog';
import { readJson, type JsonDocument } from '@qmp-gateway/qapi';
import { hash } from 'node:crypto';
import type { AuditLine } from '../access/audit/audit-log.js';
import { quotedName } from '../access/audit/quoted-name.js';
import type { Decision } from '../access/policy/policy.js';
import { formatMilliseconds } from '../http/format-milliseconds.js';
import { workEnding, type WorkEnd } from '../operations/work-audit.js';
import type { CommandTarget } from './command-target.js';
import type { CommandAnswer, CommandArguments, CommandRequest } from './command-request.js';

const maxShownArguments = 4096;
/** Bytes of refused arguments that are read to be shown: reading a MiB takes tens of milliseconds, in which nobody has a turn. */
const mostReadAgain = 64 * 1024;

/** What the audit log says of a command; `decision` and `document` as far as it came to them. */
export interface EndedCommand {
  readonly request: CommandRequest;
  readonly target: CommandTarget | undefined;
  readonly decision: Decision | undefined;
  /** As they were read; without them, those of the request are shown as far as they can be read. */
  readonly document: JsonDocument | undefined;
  readonly answer: CommandAnswer;
  /** Its work at the time of the reply. Of work that goes on a line of its own tells how it ended. */
  readonly work: WorkEnd | undefined;
  readonly durationMs: number;
  /** It ended by a fault of the gateway's own. */
  readonly internalFault: boolean;
}

/** The line of every command: its caller, what it was to do, and how it ended. Secrets never reach it. */
export class CommandLine implements AuditLine {
  constructor(private readonly ended: EndedCommand) {}

  text(time: string): string {
    const { request, target, decision, document, answer, work, durationMs, internalFault } = this.ended;
    const { requestId, traceparent, dryRun, handed } = request;
    const isUsual = traceparent === undefined && dryRun !== true && handed === undefined;
    // Put together by hand: this line is written for every command.
    let line = `{"time":"${time}","request":"${requestId}"`;
    line += isUsual ? usualCallerAndCommand(request, decision) : callerAndCommand(request, decision);
    line +=
      target !== undefined && document !== undefined
        ? shownArguments(target, document)
        : argumentsAsTheyCame(target, request.arguments);
    line += `${ending(answer)}${workEnding(work)},"ms":${formatMilliseconds(durationMs)}`;
    return internalFault ? `${line},"fault":"internal"}` : `${line}}`;
  }
}

function callerAndCommand(request: CommandRequest, decision: Decision | undefined): string {
  const { traceparent, entrance, principal, vm, command, dryRun, handed } = request;
  let members = `,"entrance":"${entrance}","principal":${quotedName(principal.id)}`;
  if (traceparent !== undefined) members += `,"traceparent":"${traceparent}"`;
  members += `,"vm":${quotedName(vm)},"command":${quotedName(command)}`;
  if (handed !== undefined) members += `,"via":${quotedName(handed.node)}`;
  if (dryRun === true) members += ',"dryRun":true';
  if (decision !== undefined) members += `,"class":"${decision.class}","rule":${quotedName(decision.rule)}`;
  return members;
}

/** Commands of one caller for one VM come in a row: the last one's members, and what they are made of. */
const last = { entrance: '', principal: '', vm: '', command: '', class: '', rule: '', members: '', isFlat: false };

function usualCallerAndCommand(request: CommandRequest, decision: Decision | undefined): string {
  const { entrance, principal, vm, command } = request;
  if (decision === undefined) return callerAndCommand(request, decision);
  const { class: level, rule } = decision;
  const isSame =
    last.vm === vm &&
    last.command === command &&
    last.principal === principal.id &&
    last.entrance === entrance &&
    last.rule === rule &&
    last.class === level;
  if (!isSame) {
    const members = callerAndCommand(request, decision);
    Object.assign(last, { entrance, principal: principal.id, vm, command, class: level, rule, members, isFlat: false });
  } else if (!last.isFlat) {
    // Out of its pieces, which the engine would put together anew for each line.
    last.members = Buffer.from(last.members).toString();
    last.isFlat = true;
  }
  return last.members;
}

/** A command that ended after its caller was told of a deadline. */
export interface LateCommand {
  readonly request: CommandRequest;
  readonly answer: CommandAnswer;
  readonly work: WorkEnd | undefined;
  readonly durationMs: number;
}

/** The second line of a command whose first one says that its deadline passed. */
export class LateLine implements AuditLine {
  constructor(private readonly ended: LateCommand) {}

  text(time: string): string {
    const { request, answer, work, durationMs } = this.ended;
    const { requestId, traceparent, entrance, principal } = request;
    const trace = traceparent === undefined ? '' : `"traceparent":"${traceparent}",`;
    return (
      `{"time":"${time}","request":"${requestId}","entrance":"${entrance}","principal":${quotedName(principal.id)},` +
      `${trace}"vm":${quotedName(request.vm)},"command":${quotedName(request.command)},"late":true` +
      `${ending(answer)}${workEnding(work)},"ms":${formatMilliseconds(durationMs)}}`
    );
  }
}

/** Arguments without their secrets; where those are not known by schema path, only a hash of the whole. */
function shownArguments(target: CommandTarget, args: JsonDocument): string {
  const json = redactedArguments(target.schema.origin.kind, target.command.name, args.root, args.text);
  if (json === undefined) return hashed(args.text);
  return json.length > maxShownArguments
    ? `,"arguments":"[${json.length} characters]"${hashed(args.text)}`
    : `,"arguments":${oneLine(json)}`;
}

/** Of a command that was refused before its arguments were read: what was tried must be known afterwards. */
function argumentsAsTheyCame(target: CommandTarget | undefined, given: CommandArguments): string {
  if (given.kind === 'none') return '';
  const text = given.kind === 'json' ? given.json : JSON.stringify(asObject(given.pairs));
  if (target === undefined || text.length > mostReadAgain) return hashed(text);
  try {
    return shownArguments(target, readJson(text));
  } catch {
    // What is no JSON has no paths that secrets could be told by.
    return hashed(text);
  }
}

function asObject(pairs: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(
    [...values].map(([name, [first = '', ...rest]]) => [name, rest.length > 0 ? [first, ...rest] : first]),
  );
}

function hashed(text: string | Uint8Array): string {
  return `,"argumentsSha256":"${hash('sha256', text)}"`;
}

function ending(answer: CommandAnswer): string {
  const { operation, epoch, replayed } = answer.trace;
  let text = operation === undefined ? '' : `,"operation":"${operation}"`;
  if (epoch !== undefined) text += `,"epoch":"${epoch}"`;
  if (answer.ok) text += ',"outcome":"done"';
  else
    text += `,"outcome":"${answer.problem.outcome}","problem":"${answer.problem.code}","status":${answer.problem.status}`;
  return replayed === true ? `${text},"replayed":true` : text;
}

/** JSON text of a client's may be spread over lines; an audit record is one. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replaceAll(/[\r\n]+/g, ' ') : json;
}
