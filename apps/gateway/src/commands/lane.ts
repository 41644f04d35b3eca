import type { IncomingMessage, ServerResponse } from 'node:http';
import { nearestNames, readJson, type JsonDocument, type JsonMember } from '@qmp-gateway/qapi';
import { writeProblem, writeValue } from '../listeners/answer.js';
import { readJsonBody } from '../listeners/read-body.js';
import type { AuthenticatedContext } from '../listeners/request-context.js';
import { readPreference, type Preference } from '../operations/preference.js';
import { PreferredAnswer } from '../operations/preferred-answer.js';
import type { WorkFollower } from '../operations/work-follower.js';
import { parametersOf } from '../listeners/query-parameters.js';
import { Problem } from '../problems/problem.js';
import type { Limits } from '../settings/settings.js';
import { commandTooLarge, malformedJson, type CheckedCommandPath, type CommandTarget } from './command-path.js';
import type { CommandAnswer, CommandArguments, CommandRequest } from './command-request.js';
import { readControls } from './controls.js';
import type { FanOut } from './fan-out.js';
import { methodNotAllowed } from './method-not-allowed.js';
import type { ReplyBudget } from './reply-budget.js';

type Route =
  | { readonly kind: 'command'; readonly vm: string; readonly agent: boolean; readonly command: string }
  | { readonly kind: 'message'; readonly vm: string; readonly agent: boolean }
  | { readonly kind: 'fan-out'; readonly command: string };

/**
 * A body is at most so many times as long as the command made of it (`"1"` where `1` is sent). What is longer than that
 * can't come out within `commandBytes`, and is refused before the tens of milliseconds that reading it would take.
 */
const longestEncoding = 3;
/** What the message form has around its arguments. */
const messageBytes = 1024;

const routePattern = /^\/v1\/(?:vms\/([^/]+)\/(qmp|agent)(?:\/([^/]+))?|qmp\/([^/]+))$/;

/** What is below `agent` and no command; no name of a command looks like these. */
const agentResources: ReadonlySet<string | undefined> = new Set(['exec', 'files', 'openapi.json']);

/** One request on its way through the lane. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: AuthenticatedContext;
  readonly route: Route;
}

/**
 * The command lane: the HTTP requests that run commands, taken before Express sees them. A plain function over method
 * and path costs a tenth of a framework's route here, and these are the requests that come by the thousand.
 */
export class Lane {
  #answers: { readonly exchange: Exchange; readonly end: CommandAnswer }[] = [];

  constructor(
    private readonly path: CheckedCommandPath,
    private readonly fanOut: FanOut,
    private readonly replies: ReplyBudget,
    private readonly limits: Pick<Limits, 'bodyBytes' | 'commandBytes'>,
    private readonly work: WorkFollower,
  ) {}

  /** @returns false when the path is none of the lane's. */
  handle(request: IncomingMessage, response: ServerResponse, context: AuthenticatedContext): boolean {
    const route = matchRoute(request.method, context.path);
    if (route === undefined) return false;
    const exchange = { request, response, context, route };
    try {
      const budget = this.replies.refusal;
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

  #command(exchange: Exchange, { vm, agent, command }: Extract<Route, { kind: 'command' }>): void {
    const { request, context } = exchange;
    // A VM never seen has no model yet: the command path waits for it, and checks then what can't be checked here.
    const target = this.path.resolveIfKnown(context.principal, vm, command, agent);
    const { method } = request;
    const isGet = method === 'GET';
    if (!isGet && method !== 'POST') throw methodNotAllowed(target?.command, method);
    if (isGet && target !== undefined && target.command.class !== 'read')
      throw methodNotAllowed(target.command, method);
    const controls = readControls(request.headers, isGet ? undefined : context.query);
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
        arrivedAt: performance.now(),
        ...controls,
      };
      if (wish !== undefined) {
        this.#follow(exchange, commandRequest, wish);
        return;
      }
      const answer = (end: CommandAnswer) => this.#answer(exchange, end);
      if (target === undefined) this.path.execute(commandRequest, answer);
      else this.path.run(target, commandRequest, answer);
    };
    if (!isGet) {
      this.#readArguments(exchange, execute);
      return;
    }
    request.resume();
    const { query } = context;
    execute(query === '' ? { kind: 'none' } : { kind: 'query', pairs: [...parametersOf(query)] });
  }

  #message(exchange: Exchange, { vm, agent }: Extract<Route, { kind: 'message' }>): void {
    const { request, context } = exchange;
    const { principal, requestId, traceparent } = context;
    this.path.requireServer(principal, vm, agent);
    if (request.method !== 'POST') {
      const headers = { Allow: agent ? 'GET, POST' : 'POST' };
      throw new Problem('method-not-allowed', 'QMP messages are sent with POST.', { headers });
    }
    const controls = readControls(request.headers, context.query);
    const wish = readPreference(request.headers['prefer']);
    this.#readJsonBody(exchange, (body) => {
      if (body === undefined)
        throw new Problem('malformed-json', 'There is no body; send {"execute": "query-status"}.');
      const arrivedAt = performance.now();
      const base = { principal, requestId, traceparent, entrance: 'message', vm, agent, arrivedAt } as const;
      const message: CommandRequest = { ...base, ...readMessage(body), ...controls };
      if (wish !== undefined) this.#follow(exchange, message, wish);
      else this.path.execute(message, (end) => this.#answer(exchange, end));
    });
  }

  /** Runs a command whose caller prefers to hear of its work. */
  #follow(exchange: Exchange, request: CommandRequest, wish: Preference): void {
    const { vm, arrivedAt } = request;
    const follow = new PreferredAnswer(wish, vm, arrivedAt, this.work, (end) => this.#answer(exchange, end));
    exchange.response.once('close', () => follow.abandon());
    this.path.execute({ ...request, follow }, (end) => follow.answer(end));
  }

  #fanOut(exchange: Exchange, command: string): void {
    const { request, response, context } = exchange;
    if (request.method !== 'POST')
      throw new Problem('method-not-allowed', 'A fan-out is a POST.', { headers: { Allow: 'POST' } });
    const refuse = (end: CommandAnswer) => this.#answer(exchange, end);
    this.#readArguments(exchange, (args) => this.fanOut.run(request, response, context, command, args, refuse));
  }

  #readArguments(exchange: Exchange, use: (args: CommandArguments) => void): void {
    this.#readJsonBody(exchange, (json) => use(json === undefined ? { kind: 'none' } : { kind: 'json', json }));
  }

  #readJsonBody(exchange: Exchange, use: (body: Buffer | undefined) => void): void {
    const { bodyBytes, commandBytes } = this.limits;
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
    this.path.refuse(refused, error, this.#targetOf(exchange), (end) => this.#answer(exchange, end));
  }

  /** Of a command that is there, however its request was refused. */
  #targetOf({ route, context }: Exchange): CommandTarget | undefined {
    if (route.kind !== 'command') return undefined;
    try {
      return this.path.resolveIfKnown(context.principal, route.vm, route.command, route.agent);
    } catch {
      return undefined;
    }
  }

  /**
   * Answers leave at the end of the turn: a VM that answered several commands at once gets its next ones first, and works
   * on them while these writes, which cost most of the way, are made.
   */
  #answer(exchange: Exchange, end: CommandAnswer): void {
    if (this.#answers.length === 0) setImmediate(this.#writeAnswers);
    this.#answers.push({ exchange, end });
  }

  readonly #writeAnswers = (): void => {
    const answers = this.#answers;
    this.#answers = [];
    for (const { exchange, end } of answers) this.#write(exchange, end);
  };

  #write({ response, context }: Exchange, end: CommandAnswer): void {
    if (!end.ok) {
      writeProblem(response, end.problem, context, end.trace);
      return;
    }
    writeValue(response, end.json, context, end.trace);
  }
}

/** What of a refused request may be its arguments: the query of a GET, the body of others as far as it was read. */
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

function matchRoute(method: string | undefined, path: string): Route | undefined {
  const match = routePattern.exec(path);
  if (match === null) return undefined;
  const [, vmSegment, server, commandSegment, fanOutSegment] = match as readonly (string | undefined)[];
  const vm = decodeSegment(vmSegment);
  const command = decodeSegment(commandSegment ?? fanOutSegment);
  // By what is written, not by what can be decoded: a broken VM must not turn a command into a fan-out.
  if (fanOutSegment !== undefined) return command === undefined ? undefined : { kind: 'fan-out', command };
  if (vm === undefined) return undefined;
  const agent = server === 'agent';
  if (agent && (commandSegment === undefined ? method === 'GET' || method === 'HEAD' : agentResources.has(command)))
    return undefined;
  if (commandSegment === undefined) return { kind: 'message', vm, agent };
  return command === undefined ? undefined : { kind: 'command', vm, agent, command };
}

/** Undefined when the segment is not there or not decodable. */
function decodeSegment(segment: string | undefined): string | undefined {
  if (segment?.includes('%') !== true) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const messageMembers = ['execute', 'exec-oob', 'arguments', 'id'];

/** A QMP message as a client of the monitor would write it. Its `id` is taken and ignored: HTTP needs none. */
function readMessage(body: Buffer): Pick<CommandRequest, 'command' | 'arguments' | 'outOfBand'> {
  let document: JsonDocument;
  try {
    document = readJson(body);
  } catch (error) {
    throw malformedJson(error);
  }
  if (document.root.kind !== 'object') throw invalidMessage('', 'a QMP message is a JSON object');
  const members = new Map<string, JsonMember>(document.root.members.map((member) => [member.name, member]));
  for (const name of members.keys())
    if (!messageMembers.includes(name))
      throw invalidMessage(
        `/${name.slice(0, 100)}`,
        'is no member of a QMP message',
        nearestNames(name, messageMembers),
      );
  const inBand = members.get('execute')?.value;
  const outOfBand = members.get('exec-oob')?.value;
  if (inBand !== undefined && outOfBand !== undefined) throw invalidMessage('/exec-oob', 'clashes with execute');
  const command = inBand ?? outOfBand;
  if (command?.kind !== 'string')
    throw invalidMessage('/execute', command === undefined ? 'missing' : 'must be the name of a command');
  const args = members.get('arguments')?.value;
  if (args !== undefined && args.kind !== 'object') throw invalidMessage('/arguments', 'must be an object');
  return {
    command: command.value,
    outOfBand: outOfBand !== undefined,
    arguments:
      args === undefined ? { kind: 'none' } : { kind: 'json', json: document.text.slice(args.start, args.end) },
  };
}

function invalidMessage(pointer: string, message: string, suggestions: readonly string[] = []): Problem {
  const error = { pointer, message, ...(suggestions.length > 0 ? { suggestions } : {}) };
  return new Problem('invalid-request', `Not a QMP message: ${pointer} ${message}.`, { errors: [error] });
}
