import type { JsonNode } from '@qmp-gateway/qapi';

/** The member of this name; undefined where there is none, or no object. */
export function memberOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.find((candidate) => candidate.name === name)?.value : undefined;
}

/** The member of this name when it is a string. */
export function textOf(node: JsonNode | undefined, name: string): string | undefined {
  const value = memberOf(node, name);
  return value?.kind === 'string' ? value.value : undefined;
}
