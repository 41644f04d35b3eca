import { serverKinds, type ServerKind } from '@qmp-gateway/catalog';
import { jsonPointer, type ArgumentFault, type JsonNode } from '@qmp-gateway/qapi';

/** A comma ends the option, and a control character has no place in one. */
const unsafe = /[,\p{Cc}]/u;

/**
 * Some servers paste the strings of a command (StratoVirt those of `device_add`) into a comma-separated option text: a
 * comma would inject options of the caller's choice past every check of the members, so such strings are refused,
 * whoever sends them.
 */
export function pastedOptionFaults(kind: ServerKind, command: string, args: JsonNode | undefined): ArgumentFault[] {
  const { pastesOptionsOf, title } = serverKinds[kind];
  if (args?.kind !== 'object' || !pastesOptionsOf.includes(command)) return [];
  return args.members
    .filter(({ value }) => value.kind === 'string' && unsafe.test(value.value))
    .map(({ name }) => ({
      pointer: jsonPointer([name]),
      message: `must hold no comma and no control character: ${title} would read further options in it`,
    }));
}
