const timeOnly = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const withDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** In the browser's zone: the time of today, with the day otherwise. @param at RFC 3339; another text comes back as it is */
export function clockTime(at: string, now: Date = new Date()): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  return date.toDateString() === now.toDateString() ? timeOnly.format(date) : withDay.format(date);
}

/** With milliseconds and zone, and in UTC as the gateway wrote it. */
export function exactTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().replace('Z', '').replace('T', ' ');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${local} ${zone} (${at})`;
}

/** How long ago, in the largest unit that says something: `3 min ago`. */
export function ago(at: string, now: Date = new Date()): string {
  const seconds = Math.round((now.getTime() - new Date(at).getTime()) / 1000);
  if (Number.isNaN(seconds)) return at;
  if (seconds < 1) return 'now';
  for (const [unit, size] of units) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  return `${seconds} s ago`;
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

function two(number: number): string {
  return String(number).padStart(2, '0');
}
