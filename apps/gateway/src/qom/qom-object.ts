import { partPath } from './qom-path.js';

/** A property as the VM lists it. */
export interface QomProperty {
  readonly name: string;
  /** The type as the VM writes it: `bool`, `link<bus>`, `child<e1000e>`. */
  readonly type: string;
  /** JSON as the VM wrote it; absent until it was read. */
  value?: string;
  /** Why it cannot be read, in the VM's words. */
  error?: string;
  /** Why it is withheld from the caller: it is a secret. */
  readonly withheld?: string;
}

/** An object of the tree: listed by its owner, and possibly read. */
export interface QomObject {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  /** Null if the VM does not say. */
  type: string | null;
  /** Its properties other than children; absent until they were read. */
  properties?: readonly QomProperty[];
  children?: readonly QomObject[];
  /** Why it cannot be read, in the VM's words: usually because it no longer exists. */
  error?: string;
}

/**
 * Types whose objects have no children, in every release so far. They are four in five of a machine's objects, so they
 * are not read unless the request names them.
 */
const partless = new Set(['memory-region', 'qemu:memory-region', 'irq']);

export function mayHaveParts({ type }: QomObject): boolean {
  return type === null || !partless.has(type);
}

export function isLink({ type }: QomProperty): boolean {
  return type.startsWith('link<');
}

/** Stores the VM's list of an object. */
export function takeOver(object: QomObject, listed: readonly QomProperty[]): void {
  const properties: QomProperty[] = [];
  const children: QomObject[] = [];
  for (const property of listed) {
    const { name } = property;
    const type = /^child<(.*)>$/s.exec(property.type)?.[1];
    if (type === undefined) properties.push(property);
    else children.push({ path: partPath(object.path, name), name, depth: object.depth + 1, type });
  }
  object.properties = properties;
  object.children = children;
}

/** An object and all known objects below it. */
export function* withParts(object: QomObject): Generator<QomObject, void, undefined> {
  yield object;
  for (const child of object.children ?? []) yield* withParts(child);
}
