import { requireReadable } from '../commands/readable-text.js';
import { Problem } from '../problems/problem.js';

const longestPath = 4096;

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
    throw new Problem('invalid-request', 'This is no path of the object tree: /machine/peripheral/net0 is one.');
  requireReadable('The path of the object tree', path);
  return path;
}

/** The path of a part of an object. */
export function partPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** The object a path's last name belongs to, and that name; undefined for the root, which belongs to none. */
export function ownerOf(path: string): { readonly owner: string; readonly name: string } | undefined {
  if (path === '/') return undefined;
  const slash = path.lastIndexOf('/');
  return { owner: slash === 0 ? '/' : path.slice(0, slash), name: path.slice(slash + 1) };
}
