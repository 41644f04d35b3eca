import type { ServerKind } from '@qmp-gateway/catalog';
import type { ArgumentFault, JsonNode } from '@qmp-gateway/qapi';

/** A comma ends the option, and a control character has no place in one. */
const unsafe = /[,\p{Cc}]/u;

/**
 * StratoVirt pastes the strings of `device_add` into a comma-separated option text (STRATOVIRT 3.1): a comma would inject
 * options of the caller's choice past every check of the members, so such strings are refused, whoever sends them.
 */
export function pastedOptionFaults(kind: ServerKind, command: string, args: JsonNode | undefined): ArgumentFault[] {
  if (kind !== 'stratovirt' || command !== 'device_add' || args?.kind !== 'object') return [];
  return args.members
    .filter(({ value }) => value.kind === 'string' && unsafe.test(value.value))
    .map(({ name }) => ({
      pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      message: 'must hold no comma and no control character: StratoVirt would read further options in it',
    }));
}
