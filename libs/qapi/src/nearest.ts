/** No name in QAPI is longer, and the cost of a comparison is the product of both lengths. */
const MAX_LENGTH = 80;

/**
 * The candidates that a caller may have meant by `name`, nearest first. Case, `-`, `_` and `.` are ignored; two swapped
 * letters count as one edit, and so do swapped words (`block-query`). Names that differ by more than a third of the
 * letters are not candidates.
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
    // An incomplete name (`query-stat`) is near however much is missing, but ranks after every edit.
    if (distance > slips && wanted.length >= 4 && squashed.startsWith(wanted)) distance = slips;
    if (distance <= slips) found.push({ candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || sizeGap(a.candidate, name) - sizeGap(b.candidate, name));
  return found.slice(0, limit).map(({ candidate }) => candidate);
}

const squash = (name: string): string => name.toLowerCase().replace(/[-_.]/g, '');
const sortedWords = (name: string): string => name.toLowerCase().split(/[-_.]/).sort().join(' ');
const sizeGap = (a: string, b: string): number => Math.abs(a.length - b.length);

/** One edit for every three letters: names of one or two letters would match any other. */
const allowedSlips = (length: number): number => Math.floor(length / 3);

/**
 * Edits between two words, where swapping neighbours counts as one (optimal string alignment); stops beyond `limit`.
 */
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
    // A swap can still recover one edit from the row before.
    if (least > limit + 1) return least;
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
