import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { SessionStore, sessionCookie } from './session-store.js';

/** `POST /v1/session`: a cookie for EventSource and `<img>`, which can't send a header. */
@Controller('v1/session')
export class SessionController {
  constructor(@Inject(SessionStore) private readonly sessions: SessionStore) {}

  @Post()
  @HttpCode(204)
  create(@Req() request: GatewayRequest, @Res({ passthrough: true }) response: ServerResponse): void {
    onlyParameters(request.gateway.query, []);
    const { value, maxAgeS } = this.sessions.create(request.gateway.principal);
    const attributes = [`Max-Age=${maxAgeS}`, 'Path=/v1', 'HttpOnly', 'SameSite=Strict'];
    if (!isLoopback(request.headers.host)) attributes.push('Secure');
    response.setHeader('Set-Cookie', [`${sessionCookie}=${value}`, ...attributes].join('; '));
  }
}

/** As the browser named it: behind a proxy that speaks TLS the listener is loopback, and the browser is not. */
function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?(?::\d+)?$/i.test(host);
}
