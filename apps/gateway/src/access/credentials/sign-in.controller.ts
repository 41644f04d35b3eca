import { Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { JsonAnswer } from '../../http/json-answer.js';
import { moment, text } from '../../http/resource/field-type.js';
import { json, Resource, Tag } from '../../http/resource/resource.js';
import { Required, Shape, shape } from '../../http/resource/shape.js';
import type { AuthenticatedContext } from '../authenticated-request.js';
import { Caller } from '../caller.js';
import { TokenAdministration } from '../tokens/token-administration.js';
import { NewTokenShape } from '../tokens/token-shapes.js';
import { SignInCodes } from './sign-in-codes.js';

@Shape('SignInCode')
class SignInCodeShape {
  @Required(text(), 'Shown this once. The console takes it behind `#code=` in its address')
  code!: string;

  @Required(moment(), 'A minute from now')
  expires!: string;
}

/** `/v1/session/codes` and `/v1/session/token`: a way into the console that is worth nothing once it was used. */
@Tag('access', 'Tokens and what they allow')
@Controller('v1/session')
export class SignInController {
  constructor(
    @Inject(SignInCodes) private readonly codes: SignInCodes,
    @Inject(TokenAdministration) private readonly tokens: TokenAdministration,
  ) {}

  @Post('codes')
  @Resource({
    id: 'createSignInCode',
    summary: 'Make a one-time code to sign in to the console with',
    description: 'Whoever has it gets a token of the same grant, once and within a minute.',
    needs: 'level `read`',
    answers: {
      201: json(
        'The code',
        shape(() => SignInCodeShape),
      ),
    },
  })
  createCode(@Caller() { principal }: AuthenticatedContext): JsonAnswer {
    const { code, expires } = this.codes.create(principal);
    return JsonAnswer.of({ code, expires: new Date(expires).toISOString() } satisfies SignInCodeShape, { status: 201 });
  }

  @Post('token')
  @HttpCode(201)
  @Resource({
    id: 'signIn',
    summary: 'Exchange a one-time code for a token',
    description:
      'The code is the bearer token of this request, and of no other. The token lives 12 hours at most. It can be revoked as any other.',
    needs: 'a one-time code, or a token of level `read`',
    code: true,
    answers: {
      201: json(
        'The token, shown this once',
        shape(() => NewTokenShape),
      ),
    },
    problems: ['audit-unavailable'],
  })
  signIn(@Caller() caller: AuthenticatedContext): JsonAnswer {
    const { created: _, owner: __, ...token } = this.tokens.signIn(caller.principal, caller);
    return JsonAnswer.of(token satisfies NewTokenShape, { status: 201 });
  }
}
