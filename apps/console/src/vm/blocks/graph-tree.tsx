import { TreeView, type TreeViewDataItem } from '@patternfly/react-core';
import { treeRows, type BlockGraph, type TreeRow } from './block-graph.js';
import { nodeWords } from './node-words.js';

/** The same graph as a tree, for the keyboard and for readers of the screen. */
export function GraphTree({
  graph,
  onChoose,
}: {
  readonly graph: BlockGraph;
  readonly onChoose: (id: string) => void;
}) {
  const rows = treeRows(graph);
  return (
    <TreeView
      aria-label="Block graph"
      data={itemsOf(rows)}
      allExpanded
      hasGuides
      onSelect={(_, { id = '' }) => onChoose(id.slice(id.indexOf(' ') + 1))}
    />
  );
}

function itemsOf(rows: readonly TreeRow[]): TreeViewDataItem[] {
  const top: TreeViewDataItem[] = [];
  const path: TreeViewDataItem[] = [];
  for (const row of rows) {
    const item = { id: row.key, name: titleOf(row), title: nodeWords(row.node) };
    path.length = row.level - 1;
    const parent = path.at(-1);
    if (parent === undefined) top.push(item);
    else (parent.children ??= []).push(item);
    path.push(item);
  }
  return top;
}

function titleOf({ role, node, isRepeated }: TreeRow): string {
  const words = [node.name, ...(isRepeated ? ['(shown above)'] : [nodeWords(node), node.file])].filter(Boolean);
  return `${role === undefined ? '' : `${role}: `}${words.join(' · ')}`;
}
