import { TreeView, type TreeViewDataItem } from '@patternfly/react-core';
import { useMemo } from 'react';
import { valueNodes, type ValueNode } from './value-tree.js';

/** Levels that are open at first. */
const openLevels = 2;

/** A value as a tree. Everything is shown as text. */
export function ValueView({ value, label }: { readonly value: unknown; readonly label: string }) {
  const data = useMemo(() => valueNodes(value).map((node) => itemOf(node, 0)), [value]);
  if (data.length === 0) return <p className="qg-event-none">No data.</p>;
  return <TreeView data={data} aria-label={label} className="qg-value" />;
}

function itemOf(node: ValueNode, level: number): TreeViewDataItem {
  const { id, name, text, size, children } = node;
  return {
    id,
    name: (
      <span className="qg-value-member">
        <span className="qg-value-name">{name}</span>
        <span className="qg-value-text">{text ?? `${size} ${size === 1 ? 'member' : 'members'}`}</span>
      </span>
    ),
    ...(children.length === 0
      ? {}
      : { children: children.map((child) => itemOf(child, level + 1)), defaultExpanded: level < openLevels }),
  };
}
