import type { CheckedArguments } from '@qmp-gateway/qapi';
import type { SchemaCommand } from '../schemas/vm-schema.js';

/** The header of each control that a POST takes in its query. */
const headerOf: ReadonlyMap<string, string> = new Map([
  ['timeout', 'Request-Timeout'],
  ['dryRun', 'Dry-Run'],
  ['int64', 'Accept: application/json;int64=string'],
]);

/** The query of a GET holds the arguments: says of a control in it which header takes it. */
export function withMeantHeaders(checked: CheckedArguments, { definition }: SchemaCommand): CheckedArguments {
  if (checked.faults.length === 0) return checked;
  const members = definition.arguments.members.map(({ name }) => name);
  const faults = checked.faults.map((fault) => {
    const name = fault.pointer.slice(1);
    const header = members.includes(name) ? undefined : headerOf.get(name);
    if (header === undefined) return fault;
    const message = `no argument of this command; the query of a GET holds only arguments: send the header ${header}`;
    return { pointer: fault.pointer, message };
  });
  return { ...checked, faults };
}
