import { AgentClient } from './agent-client.js';
import {
  returnValue,
  type ArgumentsOf,
  type CommandAnswer,
  type DryRun,
  type ExecuteOptions,
  type OrOther,
  type CommandName,
  type QueryName,
  type QueryOptions,
  type Rest,
  type ReturnOf,
} from './commands.js';
import { duration, milliseconds } from './duration.js';
import { DisplayClient } from './display-client.js';
import { SerialClient } from './serial-client.js';
import { events, type EventStreamOptions } from './event-stream.js';
import type { EventSurroundings } from './event-transport.js';
import type { GatewayEvent } from './events.js';
import type { GatewayHttp, HttpAnswer, HttpRequest } from './gateway-http.js';
import type { DisplayList, QomTree, SerialList, Vm, VmRegistration, VmSchema } from './generated/gateway-types.js';
import type { CommandDecision, CommandOperation, CommandOutlook, ListedOperation, QomView } from './gateway-types.js';

/**
 * Time limit for requests that run commands: longer than any default deadline, so that beyond it the gateway must be
 * gone.
 */
const commandDeadlineMs = 11 * 60_000;
/** Time limit for requests that the gateway answers by itself. */
export const resourceDeadlineMs = 30_000;
/** Time for the transfer in both directions, beyond the requested deadline. */
const graceMs = 30_000;

export interface KeyOptions {
  /** Pause after each press and each release: seconds, or a duration such as `50ms`. */
  readonly hold?: number | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AccessOptions {
  /** For a command of the guest agent. */
  readonly agent?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One VM. Its methods throw `GatewayProblem` or `GatewayUnreachable`. */
export class VmClient {
  /** Its guest agent. */
  readonly agent: AgentClient;
  readonly #path: string;

  constructor(
    readonly id: string,
    private readonly http: GatewayHttp,
    private readonly surroundings: EventSurroundings,
  ) {
    this.#path = `/v1/vms/${encodeURIComponent(id)}`;
    this.agent = new AgentClient(`${this.#path}/agent`, http);
  }

  /**
   * @param options `wait` seconds (or a duration) for the VM to become `ready`; then the answer is its current state
   */
  async get(
    options: { readonly wait?: number | string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Vm> {
    const { wait, signal } = options;
    const query = new URLSearchParams(wait === undefined ? {} : { wait: duration(wait) });
    const deadlineMs = resourceDeadlineMs + (wait === undefined ? 0 : milliseconds(wait));
    return (await this.#resource({ method: 'GET', path: '', query, deadlineMs, signal })) as Vm;
  }

  /** Its commands and events, with the types of their arguments and return values. */
  async schema(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<VmSchema> {
    return (await this.#resource({ method: 'GET', path: '/schema', signal: options.signal })) as VmSchema;
  }

  /**
   * Registers or replaces the VM.
   * @param options `create`: fails with `vm-exists` if the VM exists
   */
  async register(
    registration: VmRegistration,
    options: { readonly create?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Vm> {
    const headers: Record<string, string> = options.create === true ? { 'If-None-Match': '*' } : {};
    const { signal } = options;
    return (await this.#resource({ method: 'PUT', path: '', body: registration, headers, signal })) as Vm;
  }

  /** Makes the gateway forget the VM; does not affect the VM itself. */
  async forget(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#resource({ method: 'DELETE', path: '', signal: options.signal });
  }

  /** Whether the caller may run a command: with any arguments, with none, or with some. */
  async mayRun(command: OrOther<CommandName>, options: AccessOptions = {}): Promise<CommandOutlook> {
    const { agent, signal } = options;
    const query = new URLSearchParams({ vm: this.id, command, ...(agent === true ? { agent: 'true' } : {}) });
    const request = { method: 'GET', path: '/v1/access', query, deadlineMs: resourceDeadlineMs, signal } as const;
    return (await this.http.request(request)).body as CommandOutlook;
  }

  /**
   * Whether the caller may run a command with these arguments. Sends nothing to the VM, and does not validate the
   * arguments.
   */
  async mayRunWith<C extends OrOther<CommandName>>(
    command: C,
    args: ArgumentsOf<C>,
    options: AccessOptions = {},
  ): Promise<CommandDecision> {
    const { agent, signal } = options;
    const body = { vm: this.id, command, ...(agent === true ? { agent } : {}), arguments: args };
    const request = { method: 'POST', path: '/v1/access', body, deadlineMs: resourceDeadlineMs, signal } as const;
    return (await this.http.request(request)).body as CommandDecision;
  }

  /** Runs a command that changes nothing (class `read`). */
  async query<C extends OrOther<QueryName>>(command: C, ...rest: Rest<C, QueryOptions>): Promise<ReturnOf<C>> {
    const [args, options = {}] = rest;
    const query = queryArguments(args);
    const answer =
      query === undefined
        ? await this.#command(command, 'POST', { body: args }, options)
        : await this.#command(command, 'GET', { query }, options);
    return returnValue(command, answer.body);
  }

  /** Runs a command, or returns the message that it would send. */
  async execute<C extends OrOther<CommandName>>(
    command: C,
    args: ArgumentsOf<C> | undefined,
    options: Omit<ExecuteOptions, 'dryRun'> & { readonly dryRun: true },
  ): Promise<DryRun>;
  /** Runs a command. */
  async execute<C extends OrOther<CommandName>>(command: C, ...rest: Rest<C, ExecuteOptions>): Promise<ReturnOf<C>>;
  async execute(
    command: string,
    args?: unknown,
    options: Omit<ExecuteOptions, 'dryRun'> & { readonly dryRun?: boolean | undefined } = {},
  ): Promise<unknown> {
    if (options.dryRun !== true) return (await this.#execute(command, args, options)).value;
    const request = { body: args, headers: { 'Dry-Run': 'true' } };
    return (await this.#command(command, 'POST', request, options)).body;
  }

  /** Like `execute`, and also returns the session, the event cursor and the operation. */
  async executeInFull<C extends OrOther<CommandName>>(
    command: C,
    ...rest: Rest<C, ExecuteOptions>
  ): Promise<CommandAnswer<ReturnOf<C>>> {
    const [args, options] = rest;
    return this.#execute(command, args, options ?? {});
  }

  /** Events of this VM; see `GatewayClient.events`. */
  events(options: Omit<EventStreamOptions, 'vm' | 'label'> = {}): AsyncGenerator<GatewayEvent, void, undefined> {
    return events(this.surroundings, { ...options, vm: this.id });
  }

  /**
   * Runs a command without waiting for it: `operation` has what becomes of it and of the work that it starts. The
   * gateway dismisses a job whose arguments do not contain `auto-dismiss`, after it has read how the job ended.
   */
  async start<C extends OrOther<CommandName>>(
    command: C,
    ...rest: Rest<C, Omit<ExecuteOptions, 'dryRun'>>
  ): Promise<CommandOperation<ReturnOf<C>>> {
    const [args, options = {}] = rest;
    const headers = { ...keyHeader(options), Prefer: 'respond-async' };
    const answer = await this.#command(command, 'POST', { body: args, headers }, options);
    // A repetition of a command that is already done gets its return value.
    const operation =
      answer.status === 202
        ? withReturnValue(answer.body as CommandOperation)
        : await this.operation(answer.headers.get('QMP-Operation') ?? '', { signal: options.signal });
    return operation as CommandOperation<ReturnOf<C>>;
  }

  /** The caller's commands with their outcome: of the last 10 minutes, or of a day for those that start work. */
  async operations(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly ListedOperation[]> {
    const body = await this.#resource({ method: 'GET', path: '/operations', signal: options.signal });
    return (body as { operations: ListedOperation[] }).operations;
  }

  /**
   * @param id from `CommandOperation.id` or `CommandAnswer.operation`, or the path in a problem's `operation`
   * @param options `wait` seconds (or a duration, 10 minutes at most) for its end; then the answer is its current state
   */
  async operation(
    id: string,
    options: { readonly wait?: number | string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<CommandOperation> {
    const { wait, signal } = options;
    const query = new URLSearchParams(wait === undefined ? {} : { wait: duration(wait) });
    const deadlineMs = resourceDeadlineMs + (wait === undefined ? 0 : milliseconds(wait));
    const request = { method: 'GET', path: operationResource(id), query, deadlineMs, signal } as const;
    return withReturnValue((await this.#resource(request)) as CommandOperation);
  }

  /**
   * Makes the VM cancel a job or a migration.
   * @param id as for `operation`
   * @throws GatewayProblem `method-not-allowed` if it has ended, or cannot be cancelled
   */
  async cancel(id: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CommandOperation> {
    const { signal } = options;
    const request = { method: 'DELETE', path: operationResource(id), deadlineMs: commandDeadlineMs, signal } as const;
    return withReturnValue((await this.#resource(request)) as CommandOperation);
  }

  /**
   * An object of the VM's object tree, with the objects below it that `view` selects.
   * @param path from the root: `/machine/peripheral/net0`
   */
  async qomObject(path: string, view: QomView & { readonly signal?: AbortSignal | undefined } = {}): Promise<QomTree> {
    const { signal, ...wanted } = view;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) if (value !== undefined) query.append(name, String(value));
    const request = { method: 'GET', path: qomResource(path), query, deadlineMs: commandDeadlineMs, signal } as const;
    return (await this.#resource(request)) as QomTree;
  }

  /** The value of a property: `/machine/peripheral/net0/mac`. Integers that a number cannot hold are `bigint`. */
  async qomProperty(path: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<unknown> {
    const { signal } = options;
    return this.#resource({ method: 'GET', path: qomResource(path), deadlineMs: commandDeadlineMs, signal });
  }

  /** Sets a property (`qom-set`). */
  async setQomProperty(
    path: string,
    value: unknown,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { signal } = options;
    const request = { method: 'PUT', path: qomResource(path), body: value, deadlineMs: commandDeadlineMs } as const;
    await this.#resource({ ...request, signal });
  }

  /** A picture of the VM's screen, as PNG. @param display default: the first one */
  async screen(
    display: {
      readonly device?: string | undefined;
      readonly head?: number | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { device, head, signal } = display;
    const query = new URLSearchParams(device === undefined ? {} : { device });
    if (head !== undefined) query.append('head', String(head));
    const path = `${this.#path}/screen.png`;
    return this.http.bytes({ method: 'GET', path, query, deadlineMs: commandDeadlineMs, signal }, 'image/png');
  }

  /** Its displays, and why there are none. */
  async displays(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<DisplayList> {
    const request = { method: 'GET', path: '/displays', deadlineMs: commandDeadlineMs, ...options } as const;
    return (await this.#resource(request)) as DisplayList;
  }

  /** One of its displays. @param id as `displays` lists it; `default` unless QEMU was told otherwise */
  display(id = 'default'): DisplayClient {
    return new DisplayClient(id, `${this.#path}/displays/${encodeURIComponent(id)}`, this.surroundings);
  }

  /** Its serial lines, and why there are none. */
  async serials(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<SerialList> {
    const request = { method: 'GET', path: '/serials', deadlineMs: commandDeadlineMs, ...options } as const;
    return (await this.#resource(request)) as SerialList;
  }

  /** One of its serial lines. @param id as `serials` lists it */
  serial(id: string): SerialClient {
    return new SerialClient(id, `${this.#path}/serials/${encodeURIComponent(id)}`, this.surroundings);
  }

  /** Types a text on a keyboard with US layout; resolves when the last key is released. */
  async type(text: string, options: KeyOptions = {}): Promise<void> {
    await this.#keys({ text }, options);
  }

  /** Presses keys together, by QEMU's names: `['ctrl', 'alt', 'delete']`. */
  async press(keys: readonly string[], options: KeyOptions = {}): Promise<void> {
    await this.#keys({ keys }, options);
  }

  async #keys(what: object, { hold, signal }: KeyOptions): Promise<void> {
    const body = { ...what, ...(hold === undefined ? {} : { hold: duration(hold) }) };
    await this.#resource({ method: 'POST', path: '/keys', body, deadlineMs: commandDeadlineMs, signal });
  }

  async #execute<C extends string>(
    command: C,
    args: unknown,
    options: Omit<ExecuteOptions, 'dryRun'>,
  ): Promise<CommandAnswer<ReturnOf<C>>> {
    const headers = keyHeader(options);
    const answer = await this.#command(command, 'POST', { body: args, headers }, options);
    return {
      value: returnValue(command, answer.body),
      epoch: answer.headers.get('QMP-VM-Epoch') ?? undefined,
      cursor: answer.headers.get('QMP-Event-Cursor') ?? undefined,
      operation: answer.headers.get('QMP-Operation') ?? undefined,
      replayed: answer.headers.get('Idempotency-Replayed') === 'true',
    };
  }

  #command(
    command: string,
    method: 'GET' | 'POST',
    request: Pick<HttpRequest, 'query' | 'body' | 'headers'>,
    { timeout, epoch, signal }: QueryOptions,
  ): Promise<HttpAnswer> {
    return this.http.request({
      method,
      path: `${this.#path}/qmp/${encodeURIComponent(command)}`,
      ...request,
      headers: {
        ...request.headers,
        ...(timeout === undefined ? {} : { 'Request-Timeout': duration(timeout) }),
        ...(epoch === undefined ? {} : { 'QMP-VM-Epoch': epoch }),
      },
      deadlineMs: timeout === undefined ? commandDeadlineMs : milliseconds(timeout) + graceMs,
      signal,
    });
  }

  async #resource(request: Omit<HttpRequest, 'deadlineMs'> & { deadlineMs?: number }): Promise<unknown> {
    const path = this.#path + request.path;
    return (await this.http.request({ deadlineMs: resourceDeadlineMs, ...request, path })).body;
  }
}

function keyHeader({ idempotencyKey: key }: Pick<ExecuteOptions, 'idempotencyKey'>): Record<string, string> {
  return key === undefined ? {} : { 'Idempotency-Key': key };
}

function operationResource(id: string): string {
  return `/operations/${encodeURIComponent(id.slice(id.lastIndexOf('/') + 1))}`;
}

/** The return value of a command, with the integers of its type. */
function withReturnValue(operation: CommandOperation): CommandOperation {
  if (operation.return === undefined || operation.command === null) return operation;
  return { ...operation, return: returnValue(operation.command, operation.return) };
}

function qomResource(path: string): string {
  return [
    '/qom',
    ...path
      .split('/')
      .filter((name) => name !== '')
      .map(encodeURIComponent),
  ].join('/');
}

/** Arguments as a query; undefined if a query cannot express them. */
function queryArguments(args: unknown): URLSearchParams | undefined {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((args ?? {}) as Record<string, unknown>)) {
    if (value === undefined) continue;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    // An empty list would be an absent one.
    if (values.length === 0) return undefined;
    for (const each of values) {
      if (!['string', 'number', 'bigint', 'boolean'].includes(typeof each)) return undefined;
      query.append(name, String(each));
    }
  }
  return query;
}
