import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { isRecord } from '@qmp-gateway/qapi';
import type { BodyRequest } from '../request-context.js';
import { misplacedControls, takesControls } from './control-headers.js';
import { invalid } from './read-shape.js';
import { additionsOf, declarationOf } from './resource.js';

/**
 * Handlers get nothing that they would ignore: no header that says how a command is run, no body. What changes nothing is
 * answered all the same, unless it takes some of those headers.
 */
export class KnownParts implements CanActivate {
  /** @throws Problem `invalid-request` */
  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<BodyRequest>();
    const { method, headers, body, bodyText } = request;
    const prototype = context.getClass().prototype as object;
    const handler = context.getHandler().name;
    const additions = additionsOf(prototype, handler);
    const isSafe = method === 'GET' || method === 'HEAD';
    if (isSafe && !takesControls(additions)) return true;
    const misplaced = misplacedControls(additions, headers);
    if (misplaced.length > 0) throw invalid('header', misplaced);
    if (isSafe || bodyText === undefined) return true;
    const takesBody =
      declarationOf(prototype, handler)?.body !== undefined || additions.some((each) => each.body !== undefined);
    // Clients that send JSON with everything send an empty object.
    if (!takesBody && !(isRecord(body) && Object.keys(body).length === 0))
      throw invalid('body', [{ pointer: '', message: 'must be left out: this resource takes no body' }]);
    return true;
  }
}
