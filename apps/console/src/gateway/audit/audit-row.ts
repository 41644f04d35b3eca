/** A record of the audit log as a row of a table. */
export interface AuditRow {
  readonly time: string;
  readonly principal: string;
  /** The VM, or empty for a change of the gateway's own state. */
  readonly vm: string;
  /** The command, or what was changed. */
  readonly what: string;
  readonly outcome: string;
  readonly isGood: boolean;
  /** Everything else, as JSON on one line. */
  readonly details: string;
}

type AuditRecord = Readonly<Record<string, unknown>>;

const inColumns = new Set(['time', 'principal', 'vm', 'command', 'change', 'outcome']);

export function auditRow(record: AuditRecord): AuditRow {
  const outcome = textOf(record['outcome']);
  const rest = Object.fromEntries(Object.entries(record).filter(([name]) => !inColumns.has(name)));
  return {
    time: textOf(record['time']),
    principal: textOf(record['principal']),
    vm: textOf(record['vm']),
    what: textOf(record['command']) || textOf(record['change']),
    outcome,
    isGood: outcome === 'done' || outcome === '',
    details: Object.keys(rest).length === 0 ? '' : JSON.stringify(rest),
  };
}

/** Whether all words are somewhere in a row; letters' case does not matter. */
export function hasWords(row: AuditRow, text: string): boolean {
  const all = Object.values(row).join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
