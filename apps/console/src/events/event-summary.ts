import type { AnyEvent } from '@qmp-gateway/client';

/** A line has room for this many characters. */
const longest = 400;

/** The data of an event in one line: `device: drive0 · len: 10`, with what says most for the gateway's own events. */
export function summaryOf({ event, data }: Pick<AnyEvent, 'event' | 'data'>): string {
  if (typeof data !== 'object' || data === null) return data === undefined ? '' : shortText(data, 0);
  const members = data as Record<string, unknown>;
  if (event === 'vm-changed') return picked(members, ['state', 'runState', 'health', 'epoch']);
  if (event === 'operation') return picked(members, ['command', 'state', 'id']);
  return cut(
    Object.entries(members)
      .map(([name, value]) => `${name}: ${shortText(value, 1)}`)
      .join(' · '),
  );
}

function picked(members: Record<string, unknown>, names: readonly string[]): string {
  return names
    .filter((name) => members[name] !== null && members[name] !== undefined)
    .map((name) => `${name}: ${shortText(members[name], 1)}`)
    .join(' · ');
}

/** A value in few characters; what is deep or long is cut. */
function shortText(value: unknown, depth: number): string {
  if (typeof value === 'string') return cut(value, 120);
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'null';
  if (depth > 2) return '…';
  const parts = Array.isArray(value)
    ? value.slice(0, 8).map((item) => shortText(item, depth + 1))
    : Object.entries(value)
        .slice(0, 8)
        .map(([name, member]) => `${name}: ${shortText(member, depth + 1)}`);
  return Array.isArray(value) ? `[${parts.join(', ')}]` : `{${parts.join(', ')}}`;
}

function cut(text: string, length = longest): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
