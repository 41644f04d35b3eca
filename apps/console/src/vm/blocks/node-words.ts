import { bytesText } from '../../units/quantities.js';
import type { GraphNode } from './block-graph.js';

/** How far a job is, in percent; undefined where it does not say. */
export function jobPercent({ job }: GraphNode): number | undefined {
  if (job === undefined || job.of <= 0n) return undefined;
  return Math.min(100, Number((job.done * 1000n) / job.of) / 10);
}

/** What a node is, in one line. */
export function nodeWords(node: GraphNode): string {
  const percent = jobPercent(node);
  return [
    node.type,
    node.size === undefined ? undefined : bytesText(node.size),
    node.readOnly === true ? 'read-only' : undefined,
    node.job?.status,
    percent === undefined ? undefined : `${percent} %`,
  ]
    .filter((each) => each !== undefined)
    .join(', ');
}

/** The end of a file name, or the middle left out, so that it fits. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.floor((most - 1) / 3);
  return `${text.slice(0, head)}…${text.slice(-(most - 1 - head))}`;
}
