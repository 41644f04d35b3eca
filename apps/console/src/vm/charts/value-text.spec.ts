import { expect, it } from 'vitest';
import { valueText } from './value-text.js';

it('values have their unit', () => {
  expect([
    ...[valueText(2048, 'bytes'), valueText(2048, 'bytes per second'), valueText(1500, 'per second')],
    ...[valueText(0.25, 'milliseconds'), valueText(12.5, 'milliseconds'), valueText(49.6, 'percent')],
    valueText(null, 'percent'),
  ]).toEqual(['2 KiB', '2 KiB/s', '1.5 k/s', '250 µs', '12.5 ms', '50 %', '–']);
});
