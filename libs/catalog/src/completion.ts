import { serverKinds, type ServerKind } from './server-kinds.js';
import { readTable } from './data-file.js';

/** The ways in which work ends after the command's reply. */
export const completionKinds = [
  'unplug',
  'balloon',
  'powerdown',
  'reset',
  'stop',
  'cont',
  'wakeup',
  'migration',
  'arrival',
  'migration-step',
  'dump',
  'dirty-rate',
  'job',
  'job-completion',
  'job-cancellation',
  'job-pause',
  'job-resumption',
  'tray',
  'export-removal',
  'guest-shutdown',
] as const;

export type CompletionKind = (typeof completionKinds)[number];

export function isCompletionKind(value: unknown): value is CompletionKind {
  return (completionKinds as readonly unknown[]).includes(value);
}

/** When the work that a command starts is done. */
export interface Completion {
  readonly kind: CompletionKind;
  /** Milliseconds after which the work counts as failed; null if it ends by itself, however long it takes. */
  readonly deadlineMs: number | null;
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000 };

const completions = new Map<string, Completion>();
for (const row of readTable('completions.tsv', ['kind', 'command', 'completion', 'deadline', 'reason'])) {
  const kind = isCompletionKind(row.completion) ? row.completion : undefined;
  const deadlineMs = row.deadline === '' ? null : milliseconds(row.deadline);
  const key = `${row.kind} ${row.command}`;
  if (kind === undefined || deadlineMs === undefined || row.reason === '' || completions.has(key))
    throw new Error(`completions.tsv: '${key}' occurs twice, or its completion, deadline or reason is not valid`);
  completions.set(key, { kind, deadlineMs });
}

function milliseconds(text: string): number | undefined {
  const [, digits, unit] = /^([1-9][0-9]*)([sm])$/.exec(text) ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (unitMs[unit] ?? NaN);
}

/** How the work of a command ends; undefined if the command is done with its reply. */
export function completionOf(kind: ServerKind, command: string): Completion | undefined {
  return completions.get(`${serverKinds[kind].family} ${command}`);
}
