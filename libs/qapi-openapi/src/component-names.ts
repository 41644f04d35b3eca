/**
 * Names of components that code generators tell apart in any language.
 *
 * Most generators take letters and digits of a name alone, many make files of them on systems that ignore case, and
 * nearly all make one namespace of what OpenAPI keeps in sections. So no two names are the same without case and
 * punctuation, and none has a dot.
 */
export class ComponentNames {
  readonly #taken: Set<string>;

  /** @param reserved names that none of these may be: those of components of other sections */
  constructor(reserved: Iterable<string> = []) {
    this.#taken = new Set([...reserved].map(folded));
  }

  /** The name nearest to `wanted` that is free. Peers name types, so any text must result in a legal name. */
  take(wanted: string): string {
    const legal = wanted.replace(/[^A-Za-z0-9_-]/g, '_');
    let name = legal;
    for (let count = 2; this.#taken.has(folded(name)); count++) name = `${legal}_${count}`;
    this.#taken.add(folded(name));
    return name;
  }
}

/** What of a name all generators can tell from others. */
export function folded(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
}

/** The name of a union's branch: `BlockdevOptionsOfHostDevice` for the value `host_device`. */
export function branchName(union: string, branch: string): string {
  return `${union}Of${inPascalCase(branch)}`;
}

/** `device_add` or `query-status` as the name of a type. */
export function inPascalCase(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
