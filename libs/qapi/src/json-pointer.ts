/** The JSON Pointer (RFC 6901) for a path of member names and array indexes. */
export function jsonPointer(path: readonly (string | number)[]): string {
  let pointer = '';
  for (const step of path) pointer += `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return pointer;
}

/** The names and indexes that a JSON Pointer made by {@link jsonPointer} leads along. */
export function jsonPointerSteps(pointer: string): string[] {
  const [, ...steps] = pointer.split('/');
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
