import { Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { JsonAnswer } from '../../http/json-answer.js';
import { text } from '../../http/resource/field-type.js';
import { BodyOf, json, Resource, Tag } from '../../http/resource/resource.js';
import { shape } from '../../http/resource/shape.js';
import type { AuthenticatedContext } from '../authenticated-request.js';
import { Caller } from '../caller.js';
import { TokenAdministration } from './token-administration.js';
import { NewTokenShape, TokenListShape, TokenRequest } from './token-shapes.js';

const ownTokens = 'a token of its own scope, or level `host`';

/** `/v1/tokens`: credentials of this gateway's own. */
@Tag('access', 'Tokens and what they allow')
@Controller('v1/tokens')
export class TokensController {
  constructor(@Inject(TokenAdministration) private readonly tokens: TokenAdministration) {}

  @Get()
  @Resource({
    id: 'listTokens',
    summary: 'Tokens, without their secrets',
    needs: 'level `host`; others see their own',
    answers: {
      200: json(
        'Tokens',
        shape(() => TokenListShape),
      ),
    },
  })
  list(@Caller() { principal }: AuthenticatedContext): JsonAnswer {
    return JsonAnswer.of({ tokens: this.tokens.list(principal) } satisfies TokenListShape);
  }

  @Post()
  @Resource({
    id: 'createToken',
    summary: 'Make a token',
    description: "Never above the caller's own level, scope or expiry.",
    needs: ownTokens,
    answers: {
      201: json(
        'The token, shown this once',
        shape(() => NewTokenShape),
      ),
    },
    problems: ['audit-unavailable'],
  })
  create(@Caller() caller: AuthenticatedContext, @BodyOf(TokenRequest) wanted: TokenRequest): JsonAnswer {
    const { created: _, owner: __, ...token } = this.tokens.create(caller.principal, caller, wanted);
    return JsonAnswer.of(token satisfies NewTokenShape, { status: 201 });
  }

  @Delete(':id')
  @HttpCode(204)
  @Resource({
    id: 'revokeToken',
    summary: 'Revoke a token',
    needs: ownTokens,
    path: { id: { type: text({ pattern: /^[a-z0-9]+$/ }), what: 'Id of the token' } },
    answers: { 204: { what: 'Revoked' } },
    problems: ['route-not-found', 'last-credentials', 'audit-unavailable'],
  })
  revoke(@Caller() caller: AuthenticatedContext, @Param('id') id: string): void {
    this.tokens.revoke(caller.principal, caller, id);
  }
}
