import { BoundedMap } from '../../bounds/bounded-map.js';

const maxNameLength = 128;
const plainName = /^[\w.:@/-]{0,128}$/;
/** Names of principals, VMs, commands and rules come again and again; one that a caller makes up costs no more than this. */
const knownNames = new BoundedMap<string, string>(4096);

/** JSON text of a name as it may be looked up later, however long a caller made it. */
export function quotedName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!plainName.test(name)) return JSON.stringify(name.length > maxNameLength ? name.slice(0, maxNameLength) : name);
  const quoted = `"${name}"`;
  knownNames.set(name, quoted);
  return quoted;
}
