import type { VmClient, VmSchema } from '@qmp-gateway/client';
import { blockGraph, type BlockAnswers, type BlockGraph, type NamedNode } from './block-graph.js';

export interface BlockPicture {
  readonly graph: BlockGraph;
  /** What the VM says of each node, by its name. */
  readonly details: ReadonlyMap<string, unknown>;
}

/** Knows all edges since QEMU 4.0. */
const wholeGraphCommand = 'x-debug-query-block-graph';

/** Asks a VM for its block graph, with those of the commands that it has. */
export async function askBlocks(
  vm: VmClient,
  { commands }: Pick<VmSchema, 'commands'>,
  signal: AbortSignal,
): Promise<BlockPicture> {
  const has = new Set(commands.map(({ name }) => name));
  const ask = async (command: string): Promise<unknown> =>
    has.has(command) ? vm.query(command, undefined, { signal }) : [];
  const [nodes, drives, jobs, graph] = await Promise.all([
    ask('query-named-block-nodes') as Promise<BlockAnswers['nodes']>,
    ask('query-block') as Promise<BlockAnswers['drives']>,
    ask('query-block-jobs') as Promise<BlockAnswers['jobs']>,
    // Without it the picture is poorer, not wrong: its name says that it may go.
    has.has(wholeGraphCommand) ? ask(wholeGraphCommand).catch(() => undefined) : undefined,
  ]);
  return {
    graph: blockGraph({ nodes, drives, jobs, graph: graph as BlockAnswers['graph'] }),
    details: new Map(nodes.map((node: NamedNode) => [node['node-name'] ?? '', node])),
  };
}

/** Whether the VM has block nodes that can be asked for. */
export function hasBlocks({ commands }: Pick<VmSchema, 'commands'>): boolean {
  return commands.some(({ name }) => name === 'query-named-block-nodes' || name === 'query-block');
}
