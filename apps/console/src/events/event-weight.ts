/**
 * About how many characters a value has as JSON, counted no further than a limit. Keeps lists of events within a bound of
 * memory without writing each of them as text.
 * @param limit where counting ends
 */
export function weightOf(value: unknown, limit = 1_000_000): number {
  let weight = 0;
  const open: unknown[] = [value];
  while (open.length > 0 && weight < limit) {
    const item = open.pop();
    weight += 8;
    if (typeof item === 'string') weight += item.length;
    else if (Array.isArray(item)) for (const member of item) open.push(member);
    else if (typeof item === 'object' && item !== null)
      for (const [name, member] of Object.entries(item)) {
        weight += name.length;
        open.push(member);
      }
  }
  return weight;
}
