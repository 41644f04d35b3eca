import { emptyArguments, type ServerKind } from '@qmp-gateway/catalog';

/**
 * The arguments of a command as this server takes them: where the caller gave none it may need `{}`, and where he gave
 * `{}` it may want none.
 *
 * @param json what was checked, an object
 */
export function argumentsToSend(kind: ServerKind, command: string, json: string | undefined): string | undefined {
  const wanted = emptyArguments(kind, command);
  if (wanted === 'required') return json ?? '{}';
  const isEmpty = wanted === 'forbidden' && json !== undefined && /^\{\s*\}$/.test(json);
  return isEmpty ? undefined : json;
}
