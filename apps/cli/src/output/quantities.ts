const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Bytes for people: three digits are enough. */
export function sizeText(bytes: number | bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || Math.abs(value) >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit] ?? ''}`;
}

const steps: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
];

/** A time span for people: the two greatest units, as `2d4h`. */
export function spanText(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1000));
  const parts: string[] = [];
  for (const [seconds, unit] of steps) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join('');
}

/** How long ago a time of the gateway was. */
export function ageText(time: string, now: number = Date.now()): string {
  const then = Date.parse(time);
  return Number.isNaN(then) ? time : spanText(now - then);
}

/** A time of today by the clock of this terminal, with milliseconds; of another day with its date. */
export function clockText(time: string, now: Date = new Date()): string {
  const then = new Date(time);
  if (Number.isNaN(then.getTime())) return time;
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = `${[then.getHours(), then.getMinutes(), then.getSeconds()].map(two).join(':')}.${String(then.getMilliseconds()).padStart(3, '0')}`;
  if (then.toDateString() === now.toDateString()) return clock;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${clock}`;
}
