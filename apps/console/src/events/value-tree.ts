/** A value as a tree for people. */
export interface ValueNode {
  readonly id: string;
  /** Of the member or the index; empty at the root. */
  readonly name: string;
  /** For a value without members. */
  readonly text: string | undefined;
  /** How many members it has, which may be more than are here. */
  readonly size: number;
  readonly children: readonly ValueNode[];
}

const mostChildren = 200;
const mostDepth = 64;
/** Characters; a longer text is cut here, and whole in what is copied. */
const longestText = 2000;

/** The members of a value; texts, numbers of any size and all else as they are. */
export function valueNodes(value: unknown, path = '$', depth = 0): readonly ValueNode[] {
  if (typeof value !== 'object' || value === null || depth > mostDepth) return [];
  const members: [string, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  const nodes = members.slice(0, mostChildren).map(([name, member]) => nodeOf(name, member, `${path}/${name}`, depth));
  const more = members.length - nodes.length;
  return more === 0 ? nodes : [...nodes, { id: `${path}/…`, name: '…', text: `${more} more`, size: 0, children: [] }];
}

function nodeOf(name: string, value: unknown, id: string, depth: number): ValueNode {
  if (typeof value !== 'object' || value === null) return { id, name, text: leafText(value), size: 0, children: [] };
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  const children = valueNodes(value, id, depth + 1);
  const empty = Array.isArray(value) ? '[]' : '{}';
  return { id, name, text: size === 0 ? empty : undefined, size, children };
}

function leafText(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= longestText
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, longestText))}… (${value.length} characters)`;
  return String(value);
}
