import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../http/request-context.js';
import type { HandedRequest } from './handed-connection.js';
import type { Principal } from './principal.js';

/** A request that passed the front door; `principal` is present on every route that needs credentials. */
export interface AuthenticatedContext extends RequestContext {
  readonly principal: Principal;
  /** Of a request that another node of the fleet has handed over. */
  readonly handed?: HandedRequest;
}

/** The Node.js request as Nest controllers get it. */
export interface GatewayRequest extends IncomingMessage {
  gateway: AuthenticatedContext;
}
