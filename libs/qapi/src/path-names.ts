/** Where a walk enters the types: a command or event, and the name for a type that is found first there. */
export interface NamedRoot {
  readonly path: string;
  readonly type: string;
}

/** An edge from a type. `step` is what it adds to the path; empty for the element of an array. */
export interface NamedStep {
  readonly step: string;
  readonly type: string;
}

/** Maximum length of a path: beyond it a number distinguishes the types. QEMU stays far below. */
const MAX_PATH = 120;

/** What the walk needs to know about a type. */
export interface NamedGraph {
  /** Whether it needs a name. */
  readonly isNameless: (type: string) => boolean;
  readonly steps: (type: string) => Iterable<NamedStep>;
}

/**
 * Names for types whose own names are hidden, made from the shortest path that reaches them: `BlockdevAddArguments`,
 * `QueryBlockReturnInserted`. The walk is breadth first, so a short path takes precedence over an earlier command; the
 * same input gives the same names.
 *
 * @param taken names in use, never assigned again.
 * @returns every reached type, in the order found, with its new name; undefined for those that need none.
 */
export function pathNames(
  roots: Iterable<NamedRoot>,
  graph: NamedGraph,
  taken: Iterable<string> = [],
): Map<string, string | undefined> {
  const reached = new Map<string, string | undefined>();
  const unique = uniqueNames(taken);
  const queue = [...roots];
  for (const { path, type } of queue) {
    if (reached.has(type)) continue;
    reached.set(type, graph.isNameless(type) ? unique(path) : undefined);
    for (const next of graph.steps(type)) {
      const longer = path.length < MAX_PATH ? path + upperCamel(next.step) : path;
      if (!reached.has(next.type)) queue.push({ path: longer, type: next.type });
    }
  }
  return reached;
}

/** A function that returns `name` if it is free, else `name2`, `name3`, … */
export function uniqueNames(taken: Iterable<string> = []): (name: string) => string {
  const used = new Set(taken);
  const counts = new Map<string, number>();
  return (name) => {
    let unique = name;
    while (used.has(unique)) {
      const count = (counts.get(name) ?? 1) + 1;
      counts.set(name, count);
      unique = `${name}${count}`;
    }
    used.add(unique);
    return unique;
  };
}

/** `query-block` -> `QueryBlock`, `GUEST_PANICKED` -> `GuestPanicked`, `x-bps-read` -> `XBpsRead`. */
export function upperCamel(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + camelTail(word))
    .join('');
}

function camelTail(word: string): string {
  const tail = word.slice(1);
  return word === word.toUpperCase() ? tail.toLowerCase() : tail;
}
