/** A JSON Pointer (RFC 6901) to what member names and array indexes lead to. */
export function jsonPointer(path: readonly (string | number)[]): string {
  let pointer = '';
  for (const step of path) pointer += `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return pointer;
}
