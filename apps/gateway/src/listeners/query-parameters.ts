import { nearestNames } from '@qmp-gateway/qapi';
import { Problem, type Fault } from '../problems/problem.js';

/**
 * The parameters of a query. Bytes that are no UTF-8 would be read as U+FFFD: as another name than the client wrote,
 * perhaps of a file that there is. A percent sign that begins no escape is one, as browsers have it.
 * @throws Problem `malformed-json`, as for such bytes in a body
 */
export function parametersOf(query: string): URLSearchParams {
  if (/%[89a-f][\da-f]/i.test(query)) {
    try {
      decodeURIComponent(query.replace(/%(?![\da-f]{2})/gi, '%25'));
    } catch {
      throw new Problem('malformed-json', 'The query is not well-formed UTF-8 once its escapes are decoded.');
    }
  }
  return new URLSearchParams(query);
}

/**
 * The query of a request that takes these parameters and no others.
 * @throws Problem `invalid-request` for any other, with the nearest names
 */
export function onlyParameters(query: string, known: readonly string[]): URLSearchParams {
  const parameters = parametersOf(query);
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
