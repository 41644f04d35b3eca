import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { writeProblem, writeValue } from '../http/answer.js';
import type { CommandAnswer, CommandAsker } from './command-request.js';
import type { LaneRoute } from './lane-route.js';

export interface ExchangeParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: AuthenticatedContext;
  readonly route: LaneRoute;
}

/** One request on its way through the lane, and its answer on the way back. */
export class Exchange implements CommandAsker {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: AuthenticatedContext;
  readonly route: LaneRoute;
  #answer: CommandAnswer | undefined;

  constructor(
    private readonly outbox: Outbox,
    { request, response, context, route }: ExchangeParts,
  ) {
    this.request = request;
    this.response = response;
    this.context = context;
    this.route = route;
  }

  answered(answer: CommandAnswer): void {
    this.#answer = answer;
    this.outbox.add(this);
  }

  write(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    if (answer.ok) writeValue(this.response, answer.json, this.context, answer.trace);
    else writeProblem(this.response, answer.problem, this.context, answer.trace);
  }
}

/**
 * Answers leave at the end of the turn: a VM that answered several commands at once gets its next ones first, and works
 * on them while these writes, which cost most of the way, are made.
 */
export class Outbox {
  #answered: Exchange[] = [];

  add(exchange: Exchange): void {
    if (this.#answered.length === 0) setImmediate(this.#write);
    this.#answered.push(exchange);
  }

  readonly #write = (): void => {
    const answered = this.#answered;
    this.#answered = [];
    for (const exchange of answered) exchange.write();
  };
}
