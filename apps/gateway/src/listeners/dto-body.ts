import { nearestNames } from '@qmp-gateway/qapi';
import { validateSync } from 'class-validator';
import { Problem, type Fault } from '../problems/problem.js';

/**
 * Reads the body of a request for one of the gateway's own resources into its DTO, checked by the DTO's class-validator
 * rules. Done by hand where class-transformer would be asked: it drops a key named `constructor`.
 *
 * @param Dto every member initialised, be it with undefined: its keys are the ones a body may have
 * @throws Problem `invalid-request` with a pointer for each fault; values are never shown, they may be secrets
 */
export function readDto<T extends object>(Dto: new () => T, body: unknown): T {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid([{ pointer: '', message: 'must be a JSON object' }]);
  const dto = new Dto();
  const known = Object.keys(dto);
  const faults: Fault[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (known.includes(key)) Object.assign(dto, { [key]: value as unknown });
    else faults.push(unknownMember(key, known));
  }
  for (const { property, constraints } of validateSync(dto, { validationError: { target: false, value: false } })) {
    const messages = Object.values(constraints ?? {}).map((text) => text.replace(`${property} `, ''));
    faults.push({ pointer: `/${property}`, message: messages.join('; ') });
  }
  if (faults.length > 0) throw invalid(faults);
  return dto;
}

function unknownMember(key: string, known: readonly string[]): Fault {
  const shown = key.slice(0, 100);
  const suggestions = nearestNames(shown, known);
  const pointer = `/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const message = `unknown; it takes ${known.join(', ')}`;
  return { pointer, message, ...(suggestions.length > 0 ? { suggestions } : {}) };
}

function invalid(errors: readonly Fault[]): Problem {
  const told = errors.map(({ pointer, message }) => `${pointer || 'it'} ${message}`).join('; ');
  return new Problem('invalid-request', `The body cannot be read: ${told}.`, { errors });
}
