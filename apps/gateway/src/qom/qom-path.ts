import { requireReadable } from '../commands/readable-text.js';
import { text } from '../http/resource/field-type.js';
import { invalid } from '../http/resource/read-shape.js';

const longestPath = 4096;
/** The variable of the routes, as the documents have it. */
export const qomPathVariable = {
  type: text(),
  what: 'Path in the object tree, its slashes as they are: `machine/peripheral/net0`',
};

/**
 * The absolute path in the object tree that the decoded segments of a resource's path mean; `/` for none.
 * @throws Problem `invalid-request` for what can be no path: a slash inside a name, a control character, too long; `malformed-json`
 *   for a character that no VM reads
 */
export function qomPath(segments: readonly string[]): string {
  const names = segments.filter((name) => name !== '');
  const path = `/${names.join('/')}`;
  const broken = names.some((name) => name.includes('/') || /\p{Cc}/u.test(name));
  if (broken || path.length > longestPath)
    throw invalid('path', [
      { pointer: '/path', message: 'must be a path of the object tree, such as machine/peripheral/net0' },
    ]);
  requireReadable('The path of the object tree', path);
  return path;
}

/** The path of a part of an object. */
export function partPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** A name and the object it belongs to. */
export interface QomPlace {
  readonly owner: string;
  readonly name: string;
}

/** The object a path's last name belongs to, and that name; undefined for the root, which belongs to none. */
export function ownerOf(path: string): QomPlace | undefined {
  if (path === '/') return undefined;
  const slash = path.lastIndexOf('/');
  return { owner: slash === 0 ? '/' : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** The property that a path names. @throws Problem `invalid-request` for the root, which has no value */
export function propertyAt(path: string): QomPlace {
  const place = ownerOf(path);
  if (place === undefined)
    throw invalid('path', [{ pointer: '/path', message: 'must name a property: the root has no value' }]);
  return place;
}
