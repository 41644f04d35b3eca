import { hash } from 'node:crypto';
import { closeSync, fsync, openSync, write } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { redactedArguments } from '@qmp-gateway/catalog';
import { readJson, type JsonDocument } from '@qmp-gateway/qapi';
import type { CommandTarget } from '../commands/command-path.js';
import type { CommandAnswer, CommandArguments, CommandRequest } from '../commands/command-request.js';
import { milliseconds } from '../listeners/milliseconds.js';
import { logged, type RequestMark } from '../listeners/request-context.js';
import type { WorkState } from '../operations/work.js';
import type { ProblemCode } from '../problems/catalogue.js';
import { Problem } from '../problems/problem.js';
import { SettingsError } from '../settings/load-settings.js';
import { escapeControls } from '../settings/log-line.js';
import type { Decision } from './policy.js';
import type { Principal } from './principal.js';

const maxNameLength = 128;
const maxShownArguments = 4096;
/** Bytes of refused arguments that are read to be shown: reading a MiB takes tens of milliseconds, in which nobody has a turn. */
const mostReadAgain = 64 * 1024;
/** Lines of this long are gathered for one write: the most that a crash of the process can lose. */
const gatherMs = 20;
/** Lines that wait for the disk; past it the log counts as not writable. */
const maxWaitingBytes = 16 * 2 ** 20;
/** Commands that may have ended in one turn before their lines are put together at once. */
const mostEnded = 64;
const pageBytes = 64 * 1024;
/** UTF-8 of one unit of a string. */
const mostBytesOfUnit = 3;
const nothing = Buffer.alloc(0);

/** How work is that goes on after a reply, or how it ended. */
export interface WorkEnd {
  readonly state: WorkState;
  readonly problem: ProblemCode | undefined;
}

/** Work that has ended, of a command that was answered before. */
export interface EndedWork extends WorkEnd {
  readonly principalId: string;
  readonly vm: string;
  readonly command: string;
  readonly operation: string;
  /** Since its command was accepted. */
  readonly durationMs: number;
}

/** What the audit log says of a command; `decision` and `args` as far as it came to them. */
export interface EndedCommand {
  readonly request: CommandRequest;
  readonly target: CommandTarget | undefined;
  readonly decision: Decision | undefined;
  /** As they were read; without them, those of the request are shown as far as they can be read. */
  readonly args: JsonDocument | undefined;
  readonly answer: CommandAnswer;
  /** Its work at the time of the reply. Of work that goes on a line of its own tells how it ended. */
  readonly work: WorkEnd | undefined;
  readonly durationMs: number;
  /** It ended by a fault of the gateway's own. */
  readonly internalFault: boolean;
}

export interface AuditTrouble {
  /** Told once each time the log stops or starts being writable again. */
  (message: string | undefined): void;
}

/**
 * The audit log: one JSON line for each command and each change of the gateway's own state, appended in batches.
 * Secrets never reach it. When it can't be written, `required` decides whether commands are refused or merely told.
 */
export class AuditLog {
  readonly path: string;
  #file: number;
  #ended: EndedCommand[] = [];
  /** Full pages and the one that is being filled. */
  #pages: Buffer[] = [];
  #page = nothing;
  #used = 0;
  #waitingBytes = 0;
  #writing = false;
  #stampedAt = 0;
  #stamp = '';
  #failure: string | undefined;
  #whenIdle: (() => void)[] = [];

  /** @throws SettingsError when the file can't be opened */
  constructor(
    directory: string,
    private readonly settings: { readonly file: string; readonly required: boolean },
    private readonly trouble: AuditTrouble,
  ) {
    this.path = isAbsolute(settings.file) ? settings.file : join(directory, settings.file);
    try {
      this.#file = openSync(this.path, 'a', 0o600);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      throw new SettingsError([`audit.file: ${this.path} cannot be opened (${code})`]);
    }
  }

  /** The answer to commands while a required log can't be written. */
  get refusal(): Problem | undefined {
    if (!this.settings.required || this.#failure === undefined) return undefined;
    return new Problem('audit-unavailable', 'The audit log cannot be written, and the settings demand it.');
  }

  /** Before a change of the gateway's own state. @throws Problem `audit-unavailable` */
  requireWritable(): void {
    const { refusal } = this;
    if (refusal !== undefined) throw refusal;
  }

  /**
   * Opens the file anew, as after rotation: what was appended before goes to the old file, the rest to the new one.
   * @throws when it can't be opened; the old one stays then
   */
  async reopen(): Promise<void> {
    const file = openSync(this.path, 'a', 0o600);
    await this.flush();
    closeSync(this.#file);
    this.#file = file;
  }

  /** A command has ended. Its line is put together when what is under way in this turn, answers above all, has left. */
  command(ended: EndedCommand): void {
    if (this.#ended.length === 0) setImmediate(this.#appendEnded);
    if (this.#ended.push(ended) >= mostEnded) this.#appendEnded();
  }

  readonly #appendEnded = (): void => {
    const commands = this.#ended;
    this.#ended = [];
    for (const ended of commands) this.#appendCommand(ended);
  };

  #appendCommand({ request, target, decision, args, answer, work, ...ended }: EndedCommand): void {
    const { requestId, traceparent, entrance, principal, vm, command, dryRun } = request;
    // Put together by hand: this line is written for every command.
    let line = `{"time":"${this.#now()}","request":"${requestId}","entrance":"${entrance}","principal":${quote(principal.id)}`;
    if (traceparent !== undefined) line += `,"traceparent":"${traceparent}"`;
    line += `,"vm":${quote(vm)},"command":${quote(command)}`;
    if (dryRun === true) line += ',"dryRun":true';
    if (decision !== undefined) line += `,"class":"${decision.class}","rule":${quote(decision.rule)}`;
    line +=
      target !== undefined && args !== undefined
        ? shownArguments(target, args)
        : argumentsAsTheyCame(target, request.arguments);
    line += `${ending(answer)}${workEnding(work)},"ms":${milliseconds(ended.durationMs)}`;
    this.#append(ended.internalFault ? `${line},"fault":"internal"}\n` : `${line}}\n`);
  }

  /** The end of work that went on after its command's reply, whether anybody waited for it or not. */
  work({ principalId, vm, command, operation, durationMs, ...end }: EndedWork): void {
    this.#appendEnded();
    this.#append(
      `{"time":"${this.#now()}","principal":${quote(principalId)},"vm":${quote(vm)},"command":${quote(command)},` +
        `"operation":${quote(operation)}${workEnding(end)},"ms":${milliseconds(durationMs)}}\n`,
    );
  }

  /** The end of a command whose caller was told of a deadline before. */
  late(
    request: CommandRequest,
    target: CommandTarget,
    answer: CommandAnswer,
    work: WorkEnd | undefined,
    durationMs: number,
  ): void {
    const { requestId, traceparent, entrance, principal } = request;
    const trace = traceparent === undefined ? '' : `"traceparent":"${traceparent}",`;
    this.#appendEnded();
    this.#append(
      `{"time":"${this.#now()}","request":"${requestId}","entrance":"${entrance}","principal":${quote(principal.id)},` +
        `${trace}"vm":${quote(target.vm.id)},"command":${quote(target.command.name)},"late":true${ending(answer)}` +
        `${workEnding(work)},"ms":${milliseconds(durationMs)}}\n`,
    );
  }

  /** A change of the gateway's own state. */
  change(principal: Principal | undefined, mark: RequestMark | undefined, what: string, details: object): void {
    const record = {
      time: this.#now(),
      ...(mark === undefined ? {} : logged(mark)),
      principal: principal?.id ?? 'gateway',
      change: what,
      ...details,
    };
    this.#appendEnded();
    this.#append(`${JSON.stringify(record)}\n`);
  }

  /** Resolves when everything appended so far is on its way to the disk or given up. */
  async flush(): Promise<void> {
    this.#appendEnded();
    if (!this.#writing) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(): Promise<void> {
    await this.flush();
    await new Promise<void>((resolve) => fsync(this.#file, () => resolve()));
    closeSync(this.#file);
  }

  #append(line: string): void {
    if (this.#waitingBytes > maxWaitingBytes) {
      this.#failed('the disk does not keep up; lines are lost');
      return;
    }
    // Nearly every line is plain ASCII, and its bytes tell so at no cost.
    let bytes = this.#put(line);
    if (bytes !== line.length || line.includes('\x7f')) bytes = this.#put(escapeControls(line));
    this.#used += bytes;
    this.#waitingBytes += bytes;
    if (this.#writing) return;
    this.#writing = true;
    setTimeout(() => this.#write(), gatherMs);
  }

  /** Into bytes at once: strings that are kept for a while and put together then cost twice as much. */
  #put(line: string): number {
    const room = line.length * mostBytesOfUnit;
    if (this.#page.length - this.#used < room) this.#turnPage(room);
    return this.#page.write(line, this.#used);
  }

  #turnPage(atLeast: number): void {
    if (this.#used > 0) this.#pages.push(this.#page.subarray(0, this.#used));
    this.#page = Buffer.allocUnsafe(Math.max(pageBytes, atLeast));
    this.#used = 0;
  }

  #write(): void {
    this.#turnPage(0);
    const batch = this.#pages.length === 1 ? this.#pages[0] : Buffer.concat(this.#pages);
    this.#pages = [];
    this.#waitingBytes = 0;
    this.#writeAll(batch ?? nothing);
  }

  /** Wall-clock time, made once a millisecond. */
  #now(): string {
    const now = Date.now();
    if (now !== this.#stampedAt) {
      this.#stampedAt = now;
      this.#stamp = new Date(now).toISOString();
    }
    return this.#stamp;
  }

  #writeAll(batch: Buffer): void {
    write(this.#file, batch, (error, written) => {
      if (error === null && written < batch.length) {
        this.#writeAll(batch.subarray(written));
        return;
      }
      if (error !== null) this.#failed(error.message);
      else if (this.#failure !== undefined) {
        this.#failure = undefined;
        this.trouble(undefined);
      }
      if (this.#waitingBytes > 0) {
        setTimeout(() => this.#write(), gatherMs);
        return;
      }
      this.#writing = false;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }

  #failed(message: string): void {
    if (this.#failure === undefined) this.trouble(message);
    this.#failure = message;
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

function workEnding(work: WorkEnd | undefined): string {
  if (work === undefined) return '';
  return `,"work":"${work.state}"${work.problem === undefined ? '' : `,"problem":"${work.problem}"`}`;
}

/** JSON text of a client's may be spread over lines; an audit record is one. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replaceAll(/[\r\n]+/g, ' ') : json;
}

const plainName = /^[\w.:@/-]{0,128}$/;

/** A name as it may be looked up later, however long a caller made it. */
function quote(name: string): string {
  if (plainName.test(name)) return `"${name}"`;
  return JSON.stringify(name.length > maxNameLength ? name.slice(0, maxNameLength) : name);
}
