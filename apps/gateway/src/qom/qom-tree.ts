import { asText, parsedJson } from '@qmp-gateway/qmp';
import { matchesGlob } from '../access/glob.js';
import { isLink, mayHaveParts, withParts, type QomObject, type QomProperty } from './qom-object.js';
import { partPath } from './qom-path.js';
import type { QomView } from './qom-query.js';
import type { Cut, QomReader } from './qom-reader.js';
import type { QomTreeEnd } from './qom-shapes.js';

/** What a view shows below an object. */
export interface QomTree {
  readonly root: QomObject;
  /** Objects shown with their properties; of their ancestors only the path. */
  readonly shown: ReadonlySet<QomObject>;
  /** Objects whose values are shown. */
  readonly valued: ReadonlySet<QomObject>;
  /** With a filter: paths of the matching objects and properties. */
  readonly matches?: readonly string[];
}

/**
 * Reads what a view needs for an object that was read already: its own values, the levels below, and the values of
 * shown objects.
 * @throws Problem for failures other than a refusal of the VM
 */
export async function readTree(root: QomObject, view: QomView, reader: QomReader): Promise<QomTree> {
  const ownType = (root.properties ?? []).filter(({ name }) => name === 'type');
  await reader.readValues([view.values === 'none' ? { ...root, properties: ownType } : root]);
  root.type = typeIn(ownType[0]?.value);
  for (let level = [root]; level.length > 0 && reader.cut === undefined;) {
    level = level.flatMap(({ children = [] }) => children).filter(({ depth }) => depth <= view.depth);
    await reader.lookIntoAll(level.filter(mayHaveParts));
  }
  const filtered = view.type !== undefined || view.search !== undefined;
  const inReach = [...withParts(root)].filter(({ depth }) => depth <= view.depth);
  const found = new Map(inReach.map((object) => [object, filtered ? matchesIn(object, view) : [object.path]]));
  const shown = new Set(inReach.filter((object) => (found.get(object) ?? []).length > 0));
  // Matching objects that were skipped because their type has no children.
  if (filtered)
    await reader.lookIntoAll([...shown].filter(({ properties, error }) => (properties ?? error) === undefined));
  if (view.values === 'all') await reader.readValues([...shown]);
  const valued = view.values === 'all' ? new Set([...shown, root]) : new Set(view.values === 'self' ? [root] : []);
  const matches = [...shown].flatMap((object) => found.get(object) ?? []);
  return { root, shown: shown.add(root), valued, ...(filtered ? { matches } : {}) };
}

/** The value of an object's property `type`, if it has one a string. */
function typeIn(value: string | undefined): string | null {
  return (value === undefined ? undefined : asText(parsedJson(value))) ?? null;
}

/** The matching paths of an object: its own, or those of its properties. */
function matchesIn(object: QomObject, { type, search }: QomView): string[] {
  if (type !== undefined && !matchesGlob(type, object.type ?? '')) return [];
  if (search === undefined) return [object.path];
  const fits = ({ name }: { readonly name: string }) => name.toLowerCase().includes(search);
  if (fits(object)) return [object.path];
  return (object.properties ?? []).filter(fits).map(({ name }) => partPath(object.path, name));
}

/** The answer as JSON text; values are the VM's own bytes. `commands` is the number of commands used. */
export function renderTree(tree: QomTree, commands: number, cut: Cut | undefined): string {
  const tail: QomTreeEnd = {
    ...(tree.matches === undefined ? {} : { matches: tree.matches }),
    commands,
    complete: cut === undefined,
    ...(cut === undefined ? {} : { cut }),
  };
  return `{"path":${JSON.stringify(tree.root.path)},${renderObject(tree.root, tree)},${JSON.stringify(tail).slice(1)}`;
}

/** The members of an object, without its braces. */
function renderObject(object: QomObject, tree: QomTree): string {
  const { type, error, properties, children } = object;
  const members = [`"type":${JSON.stringify(type)}`];
  if (error !== undefined) members.push(`"error":${JSON.stringify(error)}`);
  if (properties !== undefined && tree.shown.has(object)) {
    const valued = tree.valued.has(object);
    const links = properties.filter(isLink);
    const others = properties.filter((property) => !isLink(property));
    members.push(`"properties":${renderRecord(others, (property) => renderProperty(property, 'value', valued))}`);
    members.push(`"links":${renderRecord(links, (property) => renderProperty(property, 'target', valued))}`);
  }
  if (children !== undefined) {
    const parts = tree.matches === undefined ? children : children.filter((child) => leadsToShown(child, tree));
    members.push(`"children":${renderRecord(parts, (child) => `{${renderObject(child, tree)}}`)}`);
  }
  return members.join(',');
}

function renderProperty({ type, value, error, withheld }: QomProperty, member: string, valued: boolean): string {
  const head = `{"type":${JSON.stringify(type)}`;
  if (!valued) return `${head}}`;
  if (withheld !== undefined) return `${head},"withheld":${JSON.stringify(withheld)}}`;
  if (value !== undefined) return `${head},"${member}":${value}}`;
  return error === undefined ? `${head}}` : `${head},"error":${JSON.stringify(error)}}`;
}

function renderRecord<T extends { readonly name: string }>(items: readonly T[], render: (item: T) => string): string {
  return `{${items.map((item) => `${JSON.stringify(item.name)}:${render(item)}`).join(',')}}`;
}

function leadsToShown(object: QomObject, tree: QomTree): boolean {
  for (const each of withParts(object)) if (tree.shown.has(each)) return true;
  return false;
}
