/** Small schemas for the tests of forms. */
import type { VmSchema } from '@qmp-gateway/client';
import { formOf, type CommandForm } from './command-form.js';

type SchemaTypes = VmSchema['types'];

/** An object type: `name` is required, `name?` optional. */
export function object(members: Readonly<Record<string, string>>): SchemaTypes[string] {
  return {
    kind: 'object',
    members: Object.entries(members).map(([name, type]) => ({
      name: name.replace(/\?$/, ''),
      type,
      optional: name.endsWith('?'),
    })),
  };
}

/** The form of a command whose arguments are of the type `arguments`. */
export function formWith(types: SchemaTypes, options: { readonly open?: boolean } = {}): CommandForm {
  const command = {
    ...({ name: 'do-it', class: 'read', lowestClass: 'read', highestClass: 'read', summary: null } as const),
    ...{ deprecated: false, oob: false, arguments: 'arguments', returns: 'any' },
    ...(options.open === true ? { openArguments: true as const } : {}),
  };
  const form = formOf({ commands: [command], types }, 'do-it');
  if (form === undefined) throw new Error('the command is there');
  return form;
}
