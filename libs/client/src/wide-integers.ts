/**
 * The places in a type with 64-bit integers (`bigint` in the types) and with fractional numbers; everything else is
 * left out.
 */
export type IntegerNode =
  | 'integer'
  | 'float'
  | { readonly list: number }
  /** An alternate: its branches differ in the kind of JSON value. */
  | { readonly oneOf: readonly number[] }
  | {
      readonly members: Readonly<Record<string, number>>;
      /** A union: the value of this member selects a case, whose members are in the same object. */
      readonly tag?: string;
      readonly cases?: Readonly<Record<string, number>>;
    };

/**
 * The nodes of command return values and event data; nodes refer to each other by index, because types may be cyclic.
 */
export interface IntegerTable {
  readonly commands: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly nodes: readonly IntegerNode[];
}

/**
 * Converts integers that the schema declares as 64 bits wide to `bigint`, whatever their size, so that a member always
 * has its declared type. Values that the table does not name stay as `readJson` returned them.
 * @param value changed in place
 * @param root node of the whole value; undefined if the table has none
 */
export function widenIntegers(value: unknown, { nodes }: IntegerTable, root: number | undefined): unknown {
  const visit = (each: unknown, reference: number): unknown => {
    const node = nodes[reference];
    if (node === 'integer') return typeof each === 'number' && Number.isInteger(each) ? BigInt(each) : each;
    if (node === 'float') return typeof each === 'bigint' ? Number(each) : each;
    if (node === undefined || typeof each !== 'object' || each === null) {
      // An alternate may have its integer here; other nodes contain nothing in a scalar.
      return node !== undefined && 'oneOf' in node ? visitBranches(each, node.oneOf) : each;
    }
    if ('oneOf' in node) return visitBranches(each, node.oneOf);
    if ('list' in node) {
      if (Array.isArray(each)) each.forEach((item, index) => (each[index] = visit(item, node.list)));
    } else if (!Array.isArray(each)) visitMembers(each as Record<string, unknown>, node);
    return each;
  };
  const visitBranches = (each: unknown, branches: readonly number[]): unknown => branches.reduce(visit, each);
  const visitMembers = (
    object: Record<string, unknown>,
    { members, tag, cases }: Extract<IntegerNode, { members: unknown }>,
  ): void => {
    for (const [name, reference] of Object.entries(members))
      if (Object.hasOwn(object, name)) object[name] = visit(object[name], reference);
    const selected = tag === undefined ? undefined : object[tag];
    const branch = typeof selected === 'string' ? lookUp(cases ?? {}, selected) : undefined;
    if (branch !== undefined) visit(object, branch);
  };
  return root === undefined ? value : visit(value, root);
}

/** The own member of this name; the name comes from outside. */
export function lookUp(table: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
