/** Quantities as people read them. Numbers of any size; the exact one belongs beside it, in a title. */

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** `1.5 GiB`; a dash for what is not known. */
export function bytesText(bytes: number | bigint | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–';
  let value = Number(bytes);
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${rounded(value)} ${binaryUnits[unit] ?? 'B'}`;
}

/** `1.5 MiB/s` */
export function byteRateText(perSecond: number | null | undefined): string {
  return perSecond === null || perSecond === undefined ? '–' : `${bytesText(perSecond)}/s`;
}

/** `1.5 k/s` */
export function rateText(perSecond: number | null | undefined): string {
  return perSecond === null || perSecond === undefined ? '–' : `${countText(perSecond)}/s`;
}

/** `1.5 k`, `20 M` */
export function countText(count: number): string {
  if (Math.abs(count) < 1000) return rounded(count);
  if (Math.abs(count) < 1e6) return `${rounded(count / 1000)} k`;
  return Math.abs(count) < 1e9 ? `${rounded(count / 1e6)} M` : `${rounded(count / 1e9)} G`;
}

/** `2 h 5 min`, `40 s`, `120 ms`: the two largest units. */
export function durationText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 1000) return `${rounded(Math.max(0, ms))} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? two(hours, 'h', minutes % 60, 'min') : two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Three digits are enough to look at. */
function rounded(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
