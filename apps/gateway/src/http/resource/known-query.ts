import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ReceivedRequest } from '../request-context.js';
import { additionsOf, declarationOf, requireNoQuery } from './resource.js';

/** Handlers that read no query take none. What anyone may read is left alone: load balancers add parameters of their own. */
export class KnownQuery implements CanActivate {
  /** @throws Problem `invalid-request` */
  canActivate(context: ExecutionContext): true {
    const prototype = context.getClass().prototype as object;
    const handler = context.getHandler().name;
    const additions = additionsOf(prototype, handler);
    const isPublic = declarationOf(prototype, handler)?.needs === undefined;
    const readsQuery = additions.some((each) => each.query !== undefined || each.readsQuery === true);
    if (!isPublic && !readsQuery)
      requireNoQuery(context.switchToHttp().getRequest<ReceivedRequest>().gateway.query, additions);
    return true;
  }
}
