import { TreeView, type TreeViewDataItem } from '@patternfly/react-core';
import type { QomObject } from '@qmp-gateway/client';
import { useCallback, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { wordsOf } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { childPath, pathSteps, qomAddress } from './qom-address.js';

/** Parts of an object that are listed in the tree; a machine has some hundred at most. */
const mostParts = 1_000;

/** Names of the parts of an object, or why they are not known. */
type Parts = readonly string[] | { readonly why: string };
/** By path. */
type KnownParts = ReadonlyMap<string, Parts>;

/** The tree: what is below an object is asked for when it is opened. */
export function QomTreeView({ vm, chosen }: { readonly vm: string; readonly chosen: string }) {
  const navigate = useNavigate();
  const { parts, look } = useParts(vm);
  const steps = pathSteps(chosen).map(({ path }) => path);
  useEffect(() => {
    for (const path of steps) look(path);
    // The steps are those of the chosen path.
  }, [chosen, look]);
  const data = [itemOf('/', 'root', parts, new Set(steps))];
  return (
    <TreeView
      aria-label="Object tree"
      data={data}
      activeItems={[{ id: chosen, name: '' }]}
      hasGuides
      hasSelectableNodes
      onExpand={(_, { id = '/' }) => look(id)}
      onSelect={(_, { id = '/' }) => {
        if (id.startsWith('/')) void navigate(qomAddress(vm, id));
      }}
    />
  );
}

function itemOf(path: string, name: string, parts: KnownParts, open: ReadonlySet<string>): TreeViewDataItem {
  const known = parts.get(path);
  const item = { id: path, name, defaultExpanded: open.has(path) };
  if (known !== undefined && 'why' in known) return { ...item, children: [{ id: `why not ${path}`, name: known.why }] };
  if (known === undefined) return { ...item, children: [{ id: `below ${path}`, name: 'Reading…' }] };
  if (known.length === 0) return item;
  const children = known.slice(0, mostParts).map((each) => itemOf(childPath(path, each), each, parts, open));
  if (known.length > mostParts)
    children.push({ id: `more of ${path}`, name: `and ${known.length - mostParts} more, on the page of the object` });
  return { ...item, children };
}

function useParts(vm: string) {
  const { client } = useGateway();
  const [parts, setParts] = useState<KnownParts>(new Map());
  const [asked] = useState(() => new Set<string>());
  const look = useCallback(
    (path: string): void => {
      if (asked.has(path)) return;
      asked.add(path);
      const keep = (known: (readonly [string, Parts])[]): void => setParts((before) => new Map([...before, ...known]));
      client
        .vm(vm)
        .qomObject(path, { depth: 1, values: 'none' })
        .then(
          ({ children = {} }) => keep([[path, Object.keys(children)], ...knownBelow(path, children)]),
          (error: unknown) => keep([[path, { why: wordsOf(error) }]]),
        );
    },
    [client, vm, asked],
  );
  return { parts, look };
}

/** Which parts have none themselves: they need no arrow. */
function knownBelow(
  path: string,
  children: Readonly<Record<string, QomObject>>,
): (readonly [string, readonly string[]])[] {
  return Object.entries(children).flatMap(([name, { children: below }]) =>
    below === undefined ? [[childPath(path, name), []] as const] : [],
  );
}
