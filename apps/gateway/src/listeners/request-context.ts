import type { IncomingMessage } from 'node:http';
import type { Principal } from '../access/principal.js';
import type { ReplyBudget } from '../commands/reply-budget.js';

/** What logs and audit say of a request, so that it can be found again. */
export interface RequestMark {
  /** The client's own, when it is a plain token of at most 128 characters, or made. Goes to logs, audit and the answer. */
  readonly requestId: string;
  /** W3C Trace Context, when the client sent one. */
  readonly traceparent?: string | undefined;
}

/** The mark as log and audit records have it. */
export function logged({ requestId, traceparent }: RequestMark): { request: string; traceparent?: string } {
  return traceparent === undefined ? { request: requestId } : { request: requestId, traceparent };
}

/** What is known of a request before any route runs. */
export interface RequestContext extends RequestMark {
  /** `performance.now()` at the request's head. */
  readonly arrivedAt: number;
  /** Path without query, as sent. */
  readonly path: string;
  /** Query without `?`, as sent; empty when there is none. */
  readonly query: string;
  /** Answer headers decided on the way in: CORS for an allowed foreign origin, `RateLimit-*`; empty otherwise. */
  readonly answerHeaders: Readonly<Record<string, string>>;
  /** Where answers that carry data of VMs count while their readers are slow. */
  readonly replies: ReplyBudget;
}

/** A request that passed the front door; `principal` is there on every route that needs credentials. */
export interface AuthenticatedContext extends RequestContext {
  readonly principal: Principal;
}

/** The Node request as Nest controllers get it. */
export interface GatewayRequest extends IncomingMessage {
  gateway: AuthenticatedContext;
}
