import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJson } from '@qmp-gateway/qapi';
import type { Clock } from '@qmp-gateway/qmp';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { parametersOf } from '../http/query-parameters.js';
import { discardBody, mayHaveBody, readJsonBody } from '../http/read-body.js';
import type { ReplyBudget } from '../http/reply-budget.js';
import { invalid, noJson } from '../http/resource/read-shape.js';
import { Problem } from '../problems/problem.js';
import type { Limits } from '../settings/settings.js';
import { commandTooLarge } from './command-arguments.js';
import type { CheckedCommandPath } from './command-path.js';
import type { CommandArguments, CommandRequest } from './command-request.js';
import type { CommandTarget } from './command-target.js';
import { readControls } from './controls.js';
import { Exchange, Outbox } from './exchange.js';
import type { FanOut } from './fan-out.js';
import { matchRoute, type LaneRoute } from './lane-route.js';
import { methodNotAllowed } from './method-not-allowed.js';
import { readPreference, type Preference } from './preference.js';
import { PreferredAnswer, type AwaitedOperations } from './preferred-answer.js';
import { readMessage } from './qmp-message.js';

/**
 * A body is at most this many times as long as the command made of it (`"1"` where `1` is sent). A longer one
 * cannot fit `commandBytes`, and is refused before it costs the tens of milliseconds that reading it would take.
 */
const longestEncoding = 3;
const bodyOfGet = 'must be left out: a GET has its arguments in the query';
/** What the message form has around its arguments. */
const messageBytes = 1024;

export interface LaneParts {
  readonly path: CheckedCommandPath;
  readonly fanOut: FanOut;
  readonly replies: ReplyBudget;
  readonly limits: Pick<Limits, 'bodyBytes' | 'commandBytes'>;
  readonly awaited: AwaitedOperations;
  readonly clock: Clock;
}

/**
 * The command lane: the HTTP requests that run commands, taken before Express sees them. A plain function over method
 * and path costs a tenth of a framework's route here, and these are the requests that come by the thousand.
 */
export class Lane {
  readonly #outbox = new Outbox();
  readonly #parts: LaneParts;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** @returns false if the path does not belong to the lane. */
  handle(request: IncomingMessage, response: ServerResponse, context: AuthenticatedContext): boolean {
    const route = matchRoute(request.method, context.path);
    if (route === undefined) return false;
    const exchange = new Exchange(this.#outbox, { request, response, context, route });
    try {
      const budget = this.#parts.replies.refusal;
      if (budget !== undefined) throw budget;
      if (route.kind === 'fan-out') this.#fanOut(exchange, route.command);
      else if (route.kind === 'message') this.#message(exchange, route);
      else this.#command(exchange, route);
    } catch (error) {
      request.resume();
      this.#refuse(exchange, error);
    }
    return true;
  }

  #command(exchange: Exchange, { vm, agent, command }: Extract<LaneRoute, { kind: 'command' }>): void {
    const { request, context } = exchange;
    // A VM that was never seen has no model yet: the command path waits for it, and then checks what cannot be checked here.
    const { path, clock } = this.#parts;
    const target = path.resolveIfKnown(context.principal, vm, command, agent);
    const { method } = request;
    const isGet = method === 'GET';
    if (!isGet && method !== 'POST') throw methodNotAllowed(target?.command, method);
    if (isGet && target !== undefined && target.command.class !== 'read')
      throw methodNotAllowed(target.command, method);
    const controls = readControls(request, isGet ? undefined : context.query);
    const wish = isGet ? undefined : readPreference(request.headers['prefer']);
    const execute = (args: CommandArguments): void => {
      const commandRequest: CommandRequest = {
        principal: context.principal,
        requestId: context.requestId,
        traceparent: context.traceparent,
        entrance: 'rest',
        vm,
        agent,
        command,
        arguments: args,
        readOnly: isGet,
        arrivedAt: clock.now(),
        handed: context.handed,
        ...controls,
      };
      if (wish !== undefined) this.#follow(exchange, commandRequest, wish);
      else if (target === undefined) path.execute(commandRequest, exchange);
      else path.run(target, commandRequest, exchange);
    };
    if (!isGet) {
      this.#readArguments(exchange, execute);
      return;
    }
    const { query } = context;
    this.#withoutBody(exchange, () =>
      execute(query === '' ? noArguments : { kind: 'query', pairs: [...parametersOf(query)] }),
    );
  }

  #message(exchange: Exchange, { vm, agent }: Extract<LaneRoute, { kind: 'message' }>): void {
    const { request, context } = exchange;
    const { principal, requestId, traceparent, handed } = context;
    const { path, clock } = this.#parts;
    path.requireServer(principal, vm, agent);
    if (request.method !== 'POST') {
      const headers = { Allow: agent ? 'GET, HEAD, POST' : 'POST' };
      throw new Problem('method-not-allowed', 'QMP messages are sent with POST.', { headers });
    }
    const controls = readControls(request, context.query);
    const wish = readPreference(request.headers['prefer']);
    this.#readJsonBody(exchange, (body) => {
      if (body === undefined) throw noJson('a QMP message, such as {"execute": "query-status"}');
      const arrivedAt = clock.now();
      const base = { principal, requestId, traceparent, entrance: 'message', vm, agent, arrivedAt, handed } as const;
      const message: CommandRequest = { ...base, ...readMessage(body), ...controls };
      if (wish !== undefined) this.#follow(exchange, message, wish);
      else path.execute(message, exchange);
    });
  }

  /** Runs a command whose caller prefers to be told of its work. */
  #follow(exchange: Exchange, request: CommandRequest, wish: Preference): void {
    const { path, awaited } = this.#parts;
    const follow = new PreferredAnswer(wish, request, awaited, exchange);
    exchange.response.once('close', () => follow.abandon());
    path.execute({ ...request, follow }, follow);
  }

  #fanOut(exchange: Exchange, command: string): void {
    if (exchange.request.method !== 'POST')
      throw new Problem('method-not-allowed', 'A fan-out is a POST.', { headers: { Allow: 'POST' } });
    this.#readArguments(exchange, (args) => this.#parts.fanOut.run(exchange, command, args));
  }

  /** For a GET. A body would be ignored, and its sender told of missing arguments. */
  #withoutBody(exchange: Exchange, use: () => void): void {
    const { request } = exchange;
    if (!mayHaveBody(request)) {
      request.resume();
      use();
      return;
    }
    discardBody(request, (has) => {
      try {
        if (has) throw invalid('body', [{ pointer: '', message: bodyOfGet }]);
        use();
      } catch (error) {
        this.#refuse(exchange, error);
      }
    });
  }

  #readArguments(exchange: Exchange, use: (args: CommandArguments) => void): void {
    this.#readJsonBody(exchange, (json) => use(bodyArguments(json)));
  }

  #readJsonBody(exchange: Exchange, use: (body: Buffer | undefined) => void): void {
    const { bodyBytes, commandBytes } = this.#parts.limits;
    readJsonBody(exchange.request, bodyBytes, (body) => {
      try {
        if (body instanceof Problem) throw body;
        if (body !== undefined && body.length > longestEncoding * commandBytes + messageBytes)
          throw commandTooLarge(commandBytes);
        use(body);
      } catch (error) {
        this.#refuse(exchange, error, body instanceof Problem ? undefined : body);
      }
    });
  }

  /** A refusal before the command path saw the request is audited and counted like one of its own. */
  #refuse(exchange: Exchange, error: unknown, body?: Buffer): void {
    const { request, route, context } = exchange;
    const { principal, requestId, traceparent, arrivedAt } = context;
    const refused: CommandRequest = {
      principal,
      requestId,
      traceparent,
      entrance: route.kind === 'command' ? 'rest' : route.kind,
      vm: route.kind === 'fan-out' ? '*' : route.vm,
      agent: route.kind !== 'fan-out' && route.agent,
      command: route.kind === 'message' ? '' : route.command,
      arguments: argumentsOf(request, context, body),
      arrivedAt,
    };
    this.#parts.path.refuse(refused, exchange, error, { target: this.#targetOf(exchange) });
  }

  /** For a command that exists, however its request was refused. */
  #targetOf({ route, context }: Exchange): CommandTarget | undefined {
    if (route.kind !== 'command') return undefined;
    try {
      return this.#parts.path.resolveIfKnown(context.principal, route.vm, route.command, route.agent);
    } catch {
      return undefined;
    }
  }
}

const noArguments: CommandArguments = { kind: 'none' };
/** For the most common body, which need not be read each time. */
const emptyObject: CommandArguments = { kind: 'json', json: '{}', document: readJson('{}') };

function bodyArguments(json: Buffer | undefined): CommandArguments {
  if (json === undefined) return noArguments;
  return json.length === 2 && json[0] === 0x7b && json[1] === 0x7d ? emptyObject : { kind: 'json', json };
}

/** The part of a refused request that may be its arguments: the query of a GET, otherwise the body as far as it was read. */
function argumentsOf(
  { method }: IncomingMessage,
  { query }: AuthenticatedContext,
  body: Buffer | undefined,
): CommandArguments {
  if (body !== undefined) return { kind: 'json', json: body };
  return method === 'GET' && query !== ''
    ? { kind: 'query', pairs: [...new URLSearchParams(query)] }
    : { kind: 'none' };
}
