/** Where a walk enters the types: a command or event, and the name a type gets that is met first there. */
export interface NamedRoot {
  readonly path: string;
  readonly type: string;
}

/** What a type leads to. `step` is what the path grows by; empty for the element of an array. */
export interface NamedStep {
  readonly step: string;
  readonly type: string;
}

/** Paths stop growing here: past it a number tells types apart. No QEMU comes near it. */
const MAX_PATH = 120;

/** What the walk asks about a type. */
export interface NamedGraph {
  /** Whether it is to be given a name of its own. */
  readonly isNameless: (type: string) => boolean;
  readonly steps: (type: string) => Iterable<NamedStep>;
}

/**
 * Names for types whose own names are hidden, made from the shortest path that reaches them: `BlockdevAddArguments`,
 * `QueryBlockReturnInserted`. Breadth first, so a short path wins over an earlier command; the same input gives the
 * same names.
 *
 * @param taken names in use already, never given again.
 * @returns every type reached, in the order met, with its new name; undefined for those that were not nameless.
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

/** A function that gives `name` when it is free, else `name2`, `name3`, … */
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
