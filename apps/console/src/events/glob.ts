/**
 * Whether a name matches a glob as the gateway's selectors take it: `*` stands for any number of characters and `?` for
 * one; case matters.
 */
export function matchesGlob(glob: string, name: string): boolean {
  // Two positions, and back to the last `*` on a mismatch: no glob takes more than length times length steps.
  let at = 0;
  let inGlob = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const expected = glob[inGlob];
    if (expected === '*') {
      star = inGlob++;
      starAt = at;
    } else if (expected === '?' || expected === name[at]) {
      inGlob++;
      at++;
    } else if (star !== -1) {
      inGlob = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (glob[inGlob] === '*') inGlob++;
  return inGlob === glob.length;
}

/** Words separated by commas or spaces: `BLOCK_*, STOP`. */
export function globsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((glob) => glob !== '');
}
