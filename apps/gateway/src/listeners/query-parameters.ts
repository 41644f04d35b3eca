import { nearestNames } from '@qmp-gateway/qapi';
import { Problem, type Fault } from '../problems/problem.js';

/**
 * The query of a request that takes these parameters and no others.
 * @throws Problem `invalid-request` for any other, with the nearest names
 */
export function onlyParameters(query: string, known: readonly string[]): URLSearchParams {
  const parameters = new URLSearchParams(query);
  const faults: Fault[] = [];
  for (const name of new Set(parameters.keys())) {
    if (known.includes(name)) continue;
    const suggestions = nearestNames(name, known);
    faults.push({
      pointer: name.slice(0, 100),
      message: known.length === 0 ? 'this resource takes no parameters' : `unknown; it takes ${known.join(', ')}`,
      ...(suggestions.length > 0 ? { suggestions } : {}),
    });
  }
  if (faults.length > 0)
    throw new Problem('invalid-request', 'The query holds parameters this resource does not take.', { errors: faults });
  return parameters;
}
