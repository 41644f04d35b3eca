/** The block graph of a VM as nodes and edges, from what its query commands say. */

/** The part of `query-named-block-nodes` that is used. */
export interface NamedNode {
  readonly 'node-name'?: string;
  readonly drv: string;
  readonly file: string;
  readonly ro: boolean;
  readonly backing_file?: string;
  readonly image?: { readonly 'virtual-size'?: bigint | number; readonly 'actual-size'?: bigint | number };
  /** Since QEMU 10.1. */
  readonly children?: readonly { readonly child: string; readonly 'node-name': string }[];
}

/** The part of `query-block` that is used. */
export interface Drive {
  readonly device: string;
  readonly qdev?: string;
  readonly inserted?: { readonly 'node-name'?: string };
}

/** The part of `query-block-jobs` that is used. */
export interface BlockJob {
  readonly type: string;
  readonly device: string;
  readonly status: string;
  readonly len: bigint | number;
  readonly offset: bigint | number;
}

/** The answer to `x-debug-query-block-graph`, which knows all edges; not every VM has the command. */
export interface WholeGraph {
  readonly nodes: readonly { readonly id: bigint | number; readonly type: string; readonly name: string }[];
  readonly edges: readonly {
    readonly parent: bigint | number;
    readonly child: bigint | number;
    readonly name: string;
  }[];
}

export interface BlockAnswers {
  readonly nodes: readonly NamedNode[];
  readonly drives: readonly Drive[];
  readonly jobs: readonly BlockJob[];
  readonly graph?: WholeGraph | undefined;
}

export interface GraphNode {
  readonly id: string;
  /** `user`: a device or another user of a node. */
  readonly kind: 'node' | 'user' | 'job';
  /** Name in the VM. */
  readonly name: string;
  /** A block driver, or the kind of job. */
  readonly type: string;
  /** File name, or QEMU's JSON description of what is opened. */
  readonly file?: string;
  readonly readOnly?: boolean;
  /** Bytes that the guest sees. */
  readonly size?: bigint;
  readonly job?: { readonly status: string; readonly done: bigint; readonly of: bigint };
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** `root`, `file`, `backing`, … */
  readonly role: string;
}

export interface BlockGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** The VM does not tell its edges: they are guessed from file names, and some may be missing. */
  readonly isGuessed: boolean;
}

/** Puts the answers together. */
export function blockGraph(answers: BlockAnswers): BlockGraph {
  const builder = new GraphBuilder();
  for (const node of answers.nodes) builder.node(node);
  for (const job of answers.jobs) builder.job(job);
  for (const drive of answers.drives) builder.drive(drive);
  if (answers.graph !== undefined) builder.wholeGraph(answers.graph);
  else if (answers.nodes.some(({ children }) => children !== undefined)) builder.children(answers.nodes);
  else builder.guess(answers.nodes);
  const isGuessed = answers.graph === undefined && answers.nodes.every(({ children }) => children === undefined);
  return { ...builder.finished(), isGuessed: isGuessed && answers.nodes.length > 1 };
}

const nodeId = (name: string): string => `node:${name}`;
const userId = (name: string): string => `user:${name}`;
const jobId = (name: string): string => `job:${name}`;

class GraphBuilder {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, GraphEdge>();

  node({ 'node-name': name = '', drv, file, ro, image }: NamedNode): void {
    const size = image?.['virtual-size'];
    this.#add({
      ...{ id: nodeId(name), kind: 'node', name, type: drv, file, readOnly: ro },
      ...(size === undefined ? {} : { size: BigInt(size) }),
    });
  }

  job({ device, type, status, len, offset }: BlockJob): void {
    const job = { status, done: BigInt(offset), of: BigInt(len) };
    this.#add({ id: jobId(device), kind: 'job', name: device, type, job });
  }

  drive({ device, qdev, inserted }: Drive): void {
    const name = device === '' ? (qdev ?? '') : device;
    this.#add({ id: userId(name), kind: 'user', name: driveName(name), type: 'drive' });
    const node = inserted?.['node-name'];
    if (node !== undefined) this.#connect(userId(name), nodeId(node), 'root');
  }

  wholeGraph({ nodes, edges }: WholeGraph): void {
    const ids = new Map<string, string>();
    const usesSomething = new Set(edges.map(({ parent }) => String(parent)));
    for (const { id, type, name } of nodes) {
      const key = String(id);
      if (type === 'block-driver') ids.set(key, nodeId(name));
      else if (type === 'block-job') ids.set(key, jobId(name));
      // A user without a name is told apart by its number; one that uses nothing is of no interest.
      else if (this.#nodes.has(userId(name)) || usesSomething.has(key))
        ids.set(key, userId(name === '' ? `#${key}` : name));
      const own = ids.get(key);
      if (own !== undefined && !this.#nodes.has(own)) this.#add(unlisted(own, type, name));
    }
    for (const { parent, child, name } of edges) {
      const from = ids.get(String(parent));
      const to = ids.get(String(child));
      if (from !== undefined && to !== undefined) this.#connect(from, to, name);
    }
  }

  children(nodes: readonly NamedNode[]): void {
    for (const { 'node-name': name = '', children = [] } of nodes)
      for (const each of children) this.#connect(nodeId(name), nodeId(each['node-name']), each.child);
  }

  /** A format node reads the protocol node with its file name, and backs on the format node of its backing file. */
  guess(nodes: readonly NamedNode[]): void {
    const byFile = new Map<string, NamedNode[]>();
    for (const node of nodes) byFile.set(node.file, [...(byFile.get(node.file) ?? []), node]);
    for (const node of nodes) {
      const from = nodeId(node['node-name'] ?? '');
      if (isFormat(node)) {
        const below = (byFile.get(node.file) ?? []).find((other) => !isFormat(other));
        if (below !== undefined) this.#connect(from, nodeId(below['node-name'] ?? ''), 'file');
      }
      const backing = (byFile.get(node.backing_file ?? '') ?? []).find(isFormat);
      if (backing !== undefined) this.#connect(from, nodeId(backing['node-name'] ?? ''), 'backing');
    }
  }

  finished(): Pick<BlockGraph, 'nodes' | 'edges'> {
    const edges = [...this.#edges.values()].filter(({ from, to }) => this.#nodes.has(from) && this.#nodes.has(to));
    return { nodes: [...this.#nodes.values()], edges };
  }

  #add(node: GraphNode): void {
    this.#nodes.set(node.id, node);
  }

  #connect(from: string, to: string, role: string): void {
    if (from !== to) this.#edges.set(JSON.stringify([from, to, role]), { from, to, role });
  }
}

/** What a device is called by people: its id, where its path has one. */
function driveName(name: string): string {
  return /^\/machine\/peripheral\/([^/]+)/.exec(name)?.[1] ?? name;
}

const formats: ReadonlySet<string> = new Set(['qcow2', 'raw', 'qcow', 'qed', 'vmdk', 'vdi', 'vpc', 'vhdx', 'luks']);

function isFormat({ drv }: NamedNode): boolean {
  return formats.has(drv);
}

function unlisted(id: string, type: string, name: string): GraphNode {
  if (type === 'block-driver') return { id, kind: 'node', name, type: 'node' };
  if (type === 'block-job') return { id, kind: 'job', name, type: 'job' };
  return { id, kind: 'user', name: name === '' ? 'without a name' : name, type: 'user' };
}

/** A row of the graph as a tree: each node below what uses it. */
export interface TreeRow {
  /** Unique: the same node may have several users. */
  readonly key: string;
  /** From 1. */
  readonly level: number;
  readonly role: string | undefined;
  readonly node: GraphNode;
  /** It stands further up with all that is below it. */
  readonly isRepeated: boolean;
}

/** The rows of the tree, in order. Every node is in it once with what is below it, and once more for each other user. */
export function treeRows({ nodes, edges }: BlockGraph): readonly TreeRow[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const below = new Map<string, GraphEdge[]>();
  for (const edge of edges) below.set(edge.from, [...(below.get(edge.from) ?? []), edge]);
  const isUsed = new Set(edges.map(({ to }) => to));
  const rows: TreeRow[] = [];
  const shown = new Set<string>();
  const show = (id: string, level: number, role: string | undefined): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const isRepeated = shown.has(id);
    shown.add(id);
    rows.push({ key: `${rows.length} ${id}`, level, role, node, isRepeated });
    if (!isRepeated) for (const edge of below.get(id) ?? []) show(edge.to, level + 1, edge.role);
  };
  // A job stands on nodes that have their place below what they are for.
  const roots = nodes.filter(({ id }) => !isUsed.has(id));
  for (const { id } of roots.filter(({ kind }) => kind !== 'job')) show(id, 1, undefined);
  for (const { id } of roots.filter(({ kind }) => kind === 'job')) show(id, 1, undefined);
  // A circle, which no VM should have, has no beginning.
  for (const { id } of nodes) if (!shown.has(id)) show(id, 1, undefined);
  return rows;
}
