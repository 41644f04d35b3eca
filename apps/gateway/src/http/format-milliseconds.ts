/** `.000` to `.999`. */
const fractions = Array.from({ length: 1000 }, (_, microseconds) => `.${String(microseconds).padStart(3, '0')}`);

/**
 * Milliseconds to the microsecond, as a decimal number: `0.052`. Put together from whole numbers, because the shortest
 * text of a fraction takes the engine several times as long, and each command has three of them.
 */
export function formatMilliseconds(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  const whole = Math.floor(microseconds / 1000);
  return `${whole}${fractions[microseconds - whole * 1000] ?? ''}`;
}
