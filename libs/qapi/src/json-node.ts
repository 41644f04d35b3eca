/** Where a node lies in `JsonDocument.text` (UTF-16 offsets): `text.slice(start, end)` is the node as it was written. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A member of an object; `name` is decoded, `start` is the offset of its opening quote. */
export interface JsonMember {
  readonly name: string;
  readonly start: number;
  readonly value: JsonNode;
}

export interface JsonObject extends Span {
  readonly kind: 'object';
  readonly members: readonly JsonMember[];
}

export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonString extends Span {
  readonly kind: 'string';
  readonly value: string;
}

/** `integer` means written in digits alone (`10`, not `1e1` or `10.0`): the line QEMU draws too. */
export interface JsonNumber extends Span {
  readonly kind: 'number';
  readonly integer: boolean;
}

export interface JsonBoolean extends Span {
  readonly kind: 'boolean';
  readonly value: boolean;
}

export interface JsonNull extends Span {
  readonly kind: 'null';
}

export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonBoolean | JsonNull;

export interface JsonDocument {
  readonly text: string;
  readonly root: JsonNode;
}

/** Tokens of a node as QEMU counts them: brackets, names, values, colons and commas. */
export function tokensOf(node: JsonNode): number {
  if (node.kind !== 'object' && node.kind !== 'array') return 1;
  const commas = Math.max(0, (node.kind === 'array' ? node.items : node.members).length - 1);
  if (node.kind === 'array') return node.items.reduce((sum, item) => sum + tokensOf(item), 2 + commas);
  return node.members.reduce((sum, { value }) => sum + 2 + tokensOf(value), 2 + commas);
}
