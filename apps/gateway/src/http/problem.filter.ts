import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { asProblem, Problem } from '../problems/problem.js';
import { LoggerToken } from '../settings/logger.js';
import { writeProblem } from './answer.js';
import { logged, type ReceivedRequest } from './request-context.js';

/** Whatever a handler throws leaves as a problem; an error that is none is logged whole, and its text stays here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LoggerToken) private readonly log: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<ReceivedRequest>();
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const problem = problemOf(thrown);
    if (problem.code === 'internal-error')
      this.log.error({ err: thrown, ...logged(request.gateway) }, 'request failed');
    writeProblem(response, problem, request.gateway);
  }
}

/** Nest's own exceptions: a request that Express cannot read, such as a path with a broken escape. */
function problemOf(thrown: unknown): Problem {
  if (!(thrown instanceof HttpException) || thrown.getStatus() >= 500) return asProblem(thrown);
  return new Problem('invalid-request', thrown.message);
}
