import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { writeProblem } from '../listeners/answer.js';
import { meantMethod } from '../listeners/meant-methods.js';
import { meantPaths } from '../listeners/meant-paths.js';
import { logged, type GatewayRequest } from '../listeners/request-context.js';
import { LoggerToken } from '../settings/logger.js';
import { RouteTable } from '../listeners/route-table.js';
import { asProblem, didYouMean, Problem } from './problem.js';

/** Whatever a controller throws leaves as a problem; what is not one is logged whole and told not at all. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(LoggerToken) private readonly log: Logger,
    @Inject(RouteTable) private readonly routes: RouteTable,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<GatewayRequest>();
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const problem = thrown instanceof HttpException ? this.#routeProblem(thrown, request) : asProblem(thrown);
    if (problem.code === 'internal-error')
      this.log.error({ err: thrown, ...logged(request.gateway) }, 'request failed');
    writeProblem(response, problem, request.gateway);
  }

  /** Nest's own exceptions: no route, or not by this method. */
  #routeProblem(exception: HttpException, { method, gateway }: GatewayRequest): Problem {
    if (exception.getStatus() >= 500) return asProblem(exception);
    if (exception.getStatus() !== 404) return new Problem('invalid-request', exception.message);
    const allowed = this.routes.methods(gateway.path);
    if (allowed.length === 0) {
      const suggestions = meantPaths(gateway.path, this.routes.templates());
      const told = `There is nothing at ${method ?? ''} ${gateway.path.slice(0, 200)}.${didYouMean(suggestions)}`;
      return new Problem('route-not-found', told, { suggestions });
    }
    const Allow = allowed.join(', ');
    const meant = meantMethod(method ?? '', gateway.path);
    const hint = meant === undefined ? '' : ` ${meant.hint}: ${meant.meant}.`;
    return new Problem('method-not-allowed', `This path takes ${Allow}.${hint}`, {
      headers: { Allow },
      ...(meant === undefined ? {} : { suggestions: [meant.meant] }),
    });
  }
}
