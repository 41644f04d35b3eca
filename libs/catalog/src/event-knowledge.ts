import type { ServerKind } from './command-class.js';
import { readTable } from './data-file.js';

const summaries = new Map(
  readTable('events.tsv', ['kind', 'event', 'summary']).map((row) => [`${row.kind} ${row.event}`, row.summary]),
);

/** One line on an event, in our own words; undefined for one no table knows. */
export function eventSummary(kind: ServerKind, event: string): string | undefined {
  return summaries.get(`${kind === 'storage-daemon' ? 'qemu' : kind} ${event}`);
}
