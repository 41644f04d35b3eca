import type { JsonNode } from '@qmp-gateway/qapi';

/** The member of this name; undefined if there is none, or the value is not an object. */
export function memberOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.find((candidate) => candidate.name === name)?.value : undefined;
}

/** The member of this name if it is a string. */
export function textOf(node: JsonNode | undefined, name: string): string | undefined {
  const value = memberOf(node, name);
  return value?.kind === 'string' ? value.value : undefined;
}
