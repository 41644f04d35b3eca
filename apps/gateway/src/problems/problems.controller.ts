import { Controller, Get, Param, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { problemCatalogue, type ProblemCode } from './catalogue.js';
import { Problem } from './problem.js';

/** `/problems/<code>`: where the `type` of a problem leads a reader. */
@Controller('problems')
export class ProblemsController {
  @Get(':code')
  page(@Res() response: ServerResponse, @Param('code') code: string): void {
    if (!Object.hasOwn(problemCatalogue, code))
      throw new Problem('route-not-found', 'There is no problem of this code.');
    const { status, title, when, outcome, retryable } = problemCatalogue[code as ProblemCode];
    const text = [
      `${code}: ${title}`,
      '',
      when,
      '',
      `status:    ${status}`,
      `outcome:   ${outcome} (usually; the problem itself says)`,
      `retryable: ${retryable ? 'yes' : 'no'} (usually; the problem itself says)`,
      '',
    ].join('\n');
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    });
    response.end(text);
  }
}
