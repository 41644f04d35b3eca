/** Nothing in QAPI is longer, and the comparison costs the product of both lengths. */
const MAX_LENGTH = 80;

/**
 * The candidates a caller may have meant by `name`, nearest first. Case, `-`, `_` and `.` count for nothing, two
 * swapped letters for one slip, and swapped words (`block-query`) for one; what differs by more than a third of the
 * letters is not offered.
 */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 3): string[] {
  if (name.length === 0 || name.length > MAX_LENGTH) return [];
  const wanted = squash(name);
  const wantedWords = sortedWords(name);
  const slips = allowedSlips(wanted.length);
  const found: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    if (candidate.length > MAX_LENGTH) continue;
    const squashed = squash(candidate);
    let distance = slips + 1;
    if (Math.abs(squashed.length - wanted.length) <= slips) distance = editDistance(wanted, squashed, slips);
    if (distance > 1 && sortedWords(candidate) === wantedWords) distance = 1;
    // A started name (`query-stat`) is near however much is missing, but behind every slip.
    if (distance > slips && wanted.length >= 4 && squashed.startsWith(wanted)) distance = slips;
    if (distance <= slips) found.push({ candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || sizeGap(a.candidate, name) - sizeGap(b.candidate, name));
  return found.slice(0, limit).map(({ candidate }) => candidate);
}

const squash = (name: string): string => name.toLowerCase().replace(/[-_.]/g, '');
const sortedWords = (name: string): string => name.toLowerCase().split(/[-_.]/).sort().join(' ');
const sizeGap = (a: string, b: string): number => Math.abs(a.length - b.length);

/** One for every three letters: any name of one or two is a slip of any other. */
const allowedSlips = (length: number): number => Math.floor(length / 3);

/** Edits between two words, a swap of neighbours counting as one (optimal string alignment); given up past `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a.charCodeAt(row - 1) === b.charCodeAt(column - 1);
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      current.push(edits);
      least = Math.min(least, edits);
    }
    // A swap can still win back one edit from the row before.
    if (least > limit + 1) return least;
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
