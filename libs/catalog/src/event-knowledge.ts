import { serverKinds, type ServerKind } from './server-kinds.js';
import { readTable } from './data-file.js';

const summaries = new Map(
  readTable('events.tsv', ['kind', 'event', 'summary']).map((row) => [`${row.kind} ${row.event}`, row.summary]),
);

/** One line about an event, in this project's own words; undefined if it is in no table. */
export function eventSummary(kind: ServerKind, event: string): string | undefined {
  return summaries.get(`${serverKinds[kind].family} ${event}`);
}
