import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { header, Resource, Tag } from '../../http/resource/resource.js';
import { linkTo } from '../../settings/links.js';
import type { GatewayRequest } from '../authenticated-request.js';
import { CookieStore, sessionCookie } from './cookie-store.js';

/** `POST /v1/session`: a cookie for EventSource and `<img>`, which can't send a header. */
@Tag('access', 'Tokens and what they allow')
@Controller('v1/session')
export class SessionController {
  constructor(@Inject(CookieStore) private readonly cookies: CookieStore) {}

  @Post()
  @HttpCode(204)
  @Resource({
    id: 'createSession',
    summary: 'A cookie for readers that can not send a header',
    description: 'Honoured only on GET of event streams and pictures, and for 12 hours at most.',
    needs: 'level `read`',
    answers: { 204: { what: 'Cookie set', headers: { 'Set-Cookie': header('`qmpgw_session=…`') } } },
  })
  create(@Req() { gateway, headers }: GatewayRequest, @Res({ passthrough: true }) response: ServerResponse): void {
    const { value, maxAgeS } = this.cookies.create(gateway.principal);
    const attributes = [`Max-Age=${maxAgeS}`, `Path=${linkTo('/v1')}`, 'HttpOnly', 'SameSite=Strict'];
    if (!isLoopback(headers.host)) attributes.push('Secure');
    response.setHeader('Set-Cookie', [`${sessionCookie}=${value}`, ...attributes].join('; '));
  }
}

/** As the browser named it: behind a proxy that speaks TLS the listener is loopback, and the browser is not. */
function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?(?::\d+)?$/i.test(host);
}
