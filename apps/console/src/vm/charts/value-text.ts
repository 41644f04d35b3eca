import { byteRateText, bytesText, durationText, rateText } from '../../units/quantities.js';
import type { ChartUnit } from './chart-group.js';

/** A value of a chart with its unit; a dash where there is none. */
export function valueText(value: number | null, unit: ChartUnit): string {
  if (value === null) return '–';
  switch (unit) {
    case 'bytes':
      return bytesText(value);
    case 'bytes per second':
      return byteRateText(value);
    case 'per second':
      return rateText(value);
    case 'milliseconds':
      return value < 1 ? `${Number((value * 1000).toPrecision(3))} µs` : durationText(value);
    case 'percent':
      return `${Math.round(value)} %`;
  }
}
