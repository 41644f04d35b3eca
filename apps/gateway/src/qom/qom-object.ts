import { partPath } from './qom-path.js';

/** A property as the VM lists it. */
export interface QomProperty {
  readonly name: string;
  /** As the VM writes it: `bool`, `link<bus>`, `child<e1000e>`. */
  readonly type: string;
  /** JSON as the VM wrote it; absent while nobody read it. */
  value?: string;
  /** Why it can't be read, in the VM's words. */
  error?: string;
  /** Why it is not shown to the caller: it is a secret. */
  readonly withheld?: string;
}

/** An object of the tree: named by its owner, and maybe looked into. */
export interface QomObject {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  /** Null where the VM does not say. */
  type: string | null;
  /** What it has beside parts; absent while nobody looked. */
  properties?: readonly QomProperty[];
  children?: readonly QomObject[];
  /** Why it can't be looked into, in the VM's words: mostly because it is gone meanwhile. */
  error?: string;
}

/**
 * Types whose objects have no parts, in every release so far. They are four in five of a machine's objects, so they are
 * not looked into unless they are what is asked for.
 */
const partless = new Set(['memory-region', 'qemu:memory-region', 'irq']);

export function mayHaveParts({ type }: QomObject): boolean {
  return type === null || !partless.has(type);
}

export function isLink({ type }: QomProperty): boolean {
  return type.startsWith('link<');
}

/** Takes over what the VM listed of an object. */
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

/** An object and all below it that is known. */
export function* withParts(object: QomObject): Generator<QomObject, void, undefined> {
  yield object;
  for (const child of object.children ?? []) yield* withParts(child);
}
