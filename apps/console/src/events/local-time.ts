/** Times of events in the zone of the browser. */
import { exactTime } from '../app/times.js';

const clock = new Intl.DateTimeFormat(undefined, {
  ...({ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 } as const),
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: '2-digit' });

/** `14:03:05.120`, with the day before it where that is not today. */
export function timeOfDay(atMs: number, nowMs: number): string {
  if (!Number.isFinite(atMs)) return '–';
  const at = new Date(atMs);
  const today = at.toDateString() === new Date(nowMs).toDateString();
  return today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

/** The zone in which times are shown: `Europe/Berlin (UTC+01:00)`. */
export function zoneText(at: Date): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const minutes = -at.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${name} (UTC${minutes < 0 ? '-' : '+'}${hours ?? ''}:${rest ?? ''})`;
}

interface Stamped {
  readonly time: string;
  readonly timestamp?: { readonly seconds: number | bigint; readonly microseconds: number | bigint };
}

/** When the gateway received an event and when the VM says it was, both exact. */
export function exactTimes({ time, timestamp }: Stamped): string {
  const seconds = Number(timestamp?.seconds ?? -1);
  const received = `received ${exactTime(time)}`;
  if (seconds < 0 || seconds > 8e12) return received;
  const microseconds = String(timestamp?.microseconds ?? 0).padStart(6, '0');
  const second = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${received}\nthe VM's clock ${second}.${microseconds}Z`;
}
