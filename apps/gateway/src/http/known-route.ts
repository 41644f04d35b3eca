import type { ServerResponse } from 'node:http';
import { didYouMean, Problem } from '../problems/problem.js';
import { writeProblem } from './answer.js';
import { meantMethod } from './meant-methods.js';
import { meantPaths } from './meant-paths.js';
import type { ReceivedRequest } from './request-context.js';
import type { RouteTable } from './route-table.js';

/**
 * Lets requests pass that a route takes, and answers all others, before their body is read. Routers are lenient where
 * the table is exact: to them `/V1/tokens/` is `/v1/tokens`.
 */
export function knownRoute(routes: RouteTable) {
  return (request: ReceivedRequest, response: ServerResponse, next: () => void): void => {
    const problem = routeProblem(routes, request.method ?? '', request.gateway.path);
    if (problem === undefined) {
      next();
      return;
    }
    request.resume();
    writeProblem(response, problem, request.gateway);
  };
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function routeProblem(routes: RouteTable, method: string, path: string): Problem | undefined {
  if (path.includes('%') && !isDecodable(path)) {
    const detail = `The path ${JSON.stringify(path.slice(0, 200))} cannot be decoded: its percent-encoding is cut off or is not UTF-8.`;
    return new Problem('route-not-found', detail);
  }
  if (routes.takes(method, path)) return undefined;
  const allowed = routes.methods(path);
  if (allowed.length === 0) {
    const suggestions = meantPaths(path, routes.templates());
    const detail = `There is nothing at ${method} ${path.slice(0, 200)}.${didYouMean(suggestions)}`;
    return new Problem('route-not-found', detail, { suggestions });
  }
  const Allow = allowed.join(', ');
  const meant = meantMethod(method, path);
  const hint = meant === undefined ? '' : ` ${meant.hint}: ${meant.meant}.`;
  return new Problem('method-not-allowed', `This path takes ${Allow}.${hint}`, {
    headers: { Allow },
    ...(meant === undefined ? {} : { suggestions: [meant.meant] }),
  });
}
