import { Graph, layout } from '@dagrejs/dagre';
import type { BlockGraph, GraphEdge, GraphNode } from './block-graph.js';

export const nodeSize = { width: 240, height: 76 };

export interface PlacedNode {
  readonly node: GraphNode;
  /** Of the left upper corner. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly edge: GraphEdge;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Middle of its role. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedGraph {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** Places users above what they use. */
export function placedGraph({ nodes, edges }: BlockGraph): PlacedGraph {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', ranksep: 40, nodesep: 28, marginx: 8, marginy: 8 });
  for (const { id } of nodes) graph.setNode(id, { ...nodeSize });
  edges.forEach(({ from, to, role }, index) => graph.setEdge(from, to, label(role), String(index)));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    ...{ width, height },
    nodes: nodes.map((node) => {
      const { x, y } = graph.node(node.id);
      return { node, x: x - nodeSize.width / 2, y: y - nodeSize.height / 2 };
    }),
    edges: edges.map((edge, index) => {
      const { points, x, y } = graph.edge({ v: edge.from, w: edge.to, name: String(index) });
      return { edge, points, x, y };
    }),
  };
}

/** Room for the role of an edge. */
function label(role: string): { width: number; height: number; labelpos: 'c' } {
  return { width: role.length * 7 + 8, height: 18, labelpos: 'c' };
}
