import { nearestNames } from '@qmp-gateway/qapi';
import { Problem } from '../problems/problem.js';
import type { QomObject } from './qom-object.js';
import { ownerOf } from './qom-path.js';
import type { QomView } from './qom-query.js';
import type { QomReader } from './qom-reader.js';
import { readTree, type QomTree } from './qom-tree.js';

/**
 * Resolves a path. Children and links lead to objects; otherwise the last name is a property, which includes a link
 * that is not set.
 *
 * @returns a tree for an object; for a property its value as the VM writes it
 * @throws Problem `device-not-found` if there is neither, with the nearest names
 */
export async function readResource(path: string, view: QomView, reader: QomReader): Promise<QomTree | string> {
  const object: QomObject = { path, name: '', depth: 0, type: null };
  try {
    await reader.lookInto(object);
  } catch (error) {
    const place = ownerOf(path);
    if (!(error instanceof Problem) || error.code !== 'device-not-found' || place === undefined) throw error;
    return readProperty(place.owner, place.name, error, reader);
  }
  return readTree(object, view, reader);
}

async function readProperty(path: string, name: string, notFound: Problem, reader: QomReader): Promise<string> {
  const owner: QomObject = { path, name: '', depth: 0, type: null };
  await reader.lookInto(owner);
  if (owner.properties?.some((property) => property.name === name) === true) return reader.value(path, name);
  const names = [...(owner.properties ?? []), ...(owner.children ?? [])].map((entry) => entry.name);
  const suggestions = nearestNames(name, names);
  const hint = suggestions.length > 0 ? ` Did you mean ${suggestions.join(' or ')}?` : '';
  const shown = JSON.stringify(name.slice(0, 200));
  throw new Problem('device-not-found', `${path} has neither a part nor a property ${shown}.${hint}`, {
    ...notFound.fields,
    errors: [
      {
        in: 'path',
        pointer: '/path',
        message: `unknown name ${shown}`,
        ...(suggestions.length > 0 ? { suggestions } : {}),
      },
    ],
  });
}
