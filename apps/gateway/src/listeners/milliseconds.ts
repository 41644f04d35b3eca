/**
 * Milliseconds to the microsecond, as a decimal number: `0.052`. Put together from whole numbers, because the shortest
 * text of a fraction takes the engine several times as long, and each command has three of them.
 */
export function milliseconds(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  const whole = Math.floor(microseconds / 1000);
  const rest = microseconds - whole * 1000;
  return `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`;
}
