import { Problem } from '../problems/problem.js';

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
