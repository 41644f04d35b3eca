import { createParamDecorator } from '@nestjs/common';
import type { AuthenticatedContext, GatewayRequest } from './authenticated-request.js';

/** Who sends a request, and its marks: the parameter of a handler. */
export const Caller = createParamDecorator(
  (_, context): AuthenticatedContext => context.switchToHttp().getRequest<GatewayRequest>().gateway,
);
