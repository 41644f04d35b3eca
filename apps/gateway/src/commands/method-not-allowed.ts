import { Problem } from '../problems/problem.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';

/**
 * The answer to a method that a command does not take. GET goes by the class by name: a link must mean the same whatever
 * its arguments are.
 *
 * @param command undefined while nothing is known of the VM
 */
export function methodNotAllowed(command: SchemaCommand | undefined, method: string | undefined): Problem {
  const isRead = command?.class === 'read';
  const detail =
    method === 'GET'
      ? `GET is for commands of class read; ${command?.name ?? 'this one'} is of class ${classesOf(command)}: use POST.`
      : `Commands take ${isRead ? 'GET and POST' : 'POST'}.`;
  return new Problem('method-not-allowed', detail, { headers: { Allow: isRead ? 'GET, POST' : 'POST' } });
}

function classesOf(command: SchemaCommand | undefined): string {
  if (command === undefined) return 'unknown';
  const { class: byName, lowestClass, highestClass } = command;
  if (lowestClass === highestClass) return byName;
  const others = [lowestClass, highestClass].filter((other) => other !== byName);
  return `${byName}, or ${others.join(' or ')} by its arguments`;
}
