import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemCatalogue, problemCodes, type ProblemCode } from '../problems/catalogue.js';
import { Problem } from '../problems/problem.js';
import { publicAnswers, sendPublicDocument } from './public-document.js';
import { KeptDocument } from './tagged-document.js';
import { choice, text } from './resource/field-type.js';
import { Resource, Tag } from './resource/resource.js';

/** `/problems/<code>`: where the `type` of a problem leads a reader. */
@Tag('service', 'The gateway itself')
@Controller('problems')
export class ProblemsController {
  @Get(':code')
  @Resource({
    id: 'getProblem',
    summary: 'What a problem means and what to do about it',
    path: { code: { type: choice(problemCodes), what: 'Code of a problem' } },
    answers: publicAnswers({ what: 'A page', content: { 'text/plain': text() } }),
    problems: ['route-not-found'],
  })
  page(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('code') code: string): Promise<void> {
    if (!Object.hasOwn(problemCatalogue, code)) throw new Problem('route-not-found', 'No problem has this code.');
    const { status, title, when, outcome, retryable } = problemCatalogue[code as ProblemCode];
    const page = [
      `${code}: ${title}`,
      '',
      when,
      '',
      `status:    ${status}`,
      `outcome:   ${outcome} (usually; the problem itself says)`,
      `retryable: ${retryable ? 'yes' : 'no'} (usually; the problem itself says)`,
      '',
    ].join('\n');
    return sendPublicDocument(request, response, new KeptDocument(page, 'text/plain; charset=utf-8'), {
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    });
  }
}
