/**
 * A position in the one sequence of events of one run of the gateway: everything up to and with number `n` has
 * happened before it. Clients see `<run>.<n>` and take it as opaque.
 */
export interface Cursor {
  readonly run: string;
  readonly n: number;
}

export function formatCursor(run: string, n: number): string {
  return `${run}.${n}`;
}

/** Undefined if it is not a cursor of any run. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^([A-Za-z0-9_-]{1,64})\.(0|[1-9]\d{0,15})$/.exec(text);
  const n = Number(match?.[2]);
  return match?.[1] === undefined || !Number.isSafeInteger(n) ? undefined : { run: match[1], n };
}
