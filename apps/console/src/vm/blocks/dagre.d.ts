/** The part of the library that is used. Its own types cannot be resolved: they leave out the endings of files. */
declare module '@dagrejs/dagre' {
  interface Size {
    width: number;
    height: number;
  }

  interface Position {
    x: number;
    y: number;
  }

  export class Graph {
    constructor(options: { multigraph: boolean });
    setGraph(options: { rankdir: 'TB'; ranksep: number; nodesep: number; marginx: number; marginy: number }): void;
    graph(): Partial<Size>;
    setNode(name: string, size: Size): void;
    /** With its middle, after the layout. */
    node(name: string): Size & Position;
    setEdge(from: string, to: string, label: Size & { labelpos: 'c' }, name: string): void;
    /** After the layout. */
    edge(edge: { v: string; w: string; name: string }): Position & { points: Position[] };
  }

  export function layout(graph: Graph): void;
}
