/** Whole numbers in [0, bound), the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** `SEED` of the environment, to play a run again, or a new one; said on stdout under this name. */
export function seedOf(name: string): number {
  const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
  process.stdout.write(`${name}: SEED=${seed}\n`);
  return seed;
}
