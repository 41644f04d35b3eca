import { useMemo, type KeyboardEvent } from 'react';
import type { BlockGraph } from './block-graph.js';
import { nodeSize, placedGraph, type PlacedEdge, type PlacedNode } from './graph-layout.js';
import { jobPercent, nodeWords, shortened } from './node-words.js';
import './blocks.css';

/** Characters that fit into a node. */
const nameLength = 26;
const lineLength = 32;

/** The block graph drawn: users above, files below. */
export default function GraphPicture({
  graph,
  chosen,
  onChoose,
}: {
  readonly graph: BlockGraph;
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  const { width, height, nodes, edges } = useMemo(() => placedGraph(graph), [graph]);
  return (
    <div className="qg-graph" tabIndex={0} role="region" aria-label="Picture of the block graph">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Block graph">
        <defs>
          <marker id="qg-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M 0 0 L 10 5 L 0 10 z" className="qg-graph-arrow" />
          </marker>
        </defs>
        {edges.map((edge, index) => (
          <EdgeView key={index} placed={edge} />
        ))}
        {nodes.map((placed) => (
          <NodeView
            key={placed.node.id}
            placed={placed}
            isChosen={placed.node.id === chosen}
            onChoose={() => onChoose(placed.node.id)}
          />
        ))}
      </svg>
    </div>
  );
}

function EdgeView({ placed: { edge, points, x, y } }: { readonly placed: PlacedEdge }) {
  return (
    <g aria-hidden>
      <path
        d={points.map((point, index) => `${index === 0 ? 'M' : 'L'} ${point.x} ${point.y}`).join(' ')}
        className={edge.role === 'backing' ? 'qg-graph-edge qg-graph-backing' : 'qg-graph-edge'}
        markerEnd="url(#qg-arrow)"
      />
      <text x={x} y={y + 4} textAnchor="middle" className="qg-graph-role">
        {edge.role}
      </text>
    </g>
  );
}

function NodeView({
  placed: { node, x, y },
  isChosen,
  onChoose,
}: {
  readonly placed: PlacedNode;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}) {
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onChoose();
  };
  const percent = jobPercent(node);
  const file = node.file === undefined ? undefined : shortened(node.file, lineLength);
  const lines = [shortened(node.name, nameLength), shortened(nodeWords(node), lineLength)];
  return (
    <g
      transform={`translate(${x} ${y})`}
      role="button"
      tabIndex={0}
      aria-pressed={isChosen}
      className={`qg-graph-node qg-graph-${node.kind}${isChosen ? ' qg-graph-chosen' : ''}`}
      onClick={onChoose}
      onKeyDown={press}
    >
      <title>{[node.name, nodeWords(node), node.file].filter(Boolean).join('\n')}</title>
      <rect width={nodeSize.width} height={nodeSize.height} rx="8" />
      <text x="12" y="24" className="qg-graph-name">
        {lines[0]}
      </text>
      <text x="12" y="43" className="qg-graph-words">
        {lines[1]}
      </text>
      {file === undefined ? null : (
        <text x="12" y="61" className="qg-graph-words">
          {file}
        </text>
      )}
      {percent === undefined ? null : (
        <>
          <rect x="12" y="56" width={nodeSize.width - 24} height="8" rx="4" className="qg-graph-bar" />
          <rect
            x="12"
            y="56"
            width={((nodeSize.width - 24) * percent) / 100}
            height="8"
            rx="4"
            className="qg-graph-done"
          />
        </>
      )}
    </g>
  );
}
