import type { IncomingMessage } from 'node:http';
import type { ReplyBudget } from './reply-budget.js';

/** What logs and audit say of a request, so that it can be found again. */
export interface RequestMark {
  /** The client's own, when it is a plain token of at most 128 characters, or made. Goes to logs, audit and the answer. */
  readonly requestId: string;
  /** W3C Trace Context, when the client sent one. */
  readonly traceparent?: string | undefined;
  /** Of a request that another node of the fleet has handed over: which one. */
  readonly handed?: { readonly node: string } | undefined;
}

/** The mark as log and audit records have it. */
export function logged({ requestId, traceparent, handed }: RequestMark): {
  request: string;
  traceparent?: string;
  via?: string;
} {
  return {
    request: requestId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(handed === undefined ? {} : { via: handed.node }),
  };
}

/** What is known of a request before any route runs. */
export interface RequestContext extends Omit<RequestMark, 'handed'> {
  /** On the monotonic clock, at the request's head. */
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

/** The Node request as middleware and filters get it: it has passed the front door. */
export interface ReceivedRequest extends IncomingMessage {
  gateway: RequestContext;
}

/** A request that had its body read: `body` is there when it had one, `bodyText` as it was sent. */
export type BodyRequest<Request = ReceivedRequest> = Request & { body?: unknown; bodyText?: string };
