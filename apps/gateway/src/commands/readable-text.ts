import { findUnreadable } from '@qmp-gateway/qapi';
import { Problem } from '../problems/problem.js';

/**
 * For text that a client wrote in a path or query and that goes to a VM: what no JSON reader there takes is refused in
 * terms of what the client wrote, before JSON is made of it.
 *
 * @param place where the client wrote it: `parameter "path"`
 * @throws Problem `malformed-json` with the character and its position in the decoded text
 */
export function requireReadable(place: string, text: string): void {
  const fault = findUnreadable(text);
  if (fault === undefined) return;
  const position = `character ${Array.from(text.slice(0, fault.offset)).length + 1}`;
  throw new Problem('malformed-json', `${place}: ${fault.name} at ${position}, which no QMP server reads.`);
}

/** Of the decoded names and values of a query. @throws Problem `malformed-json`, as `requireReadable` */
export function requireReadableQuery(pairs: Iterable<readonly [string, string]>): void {
  for (const [name, value] of pairs) {
    const shown = JSON.stringify(name.slice(0, 100));
    requireReadable(`name of parameter ${shown}`, name);
    requireReadable(`parameter ${shown}`, value);
  }
}
