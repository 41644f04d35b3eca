import { clockTime, exactTime } from './times.js';

/** A moment in the browser's zone; the exact one, in UTC too, on hover. */
export function Time({ at, exact = false }: { readonly at: string; readonly exact?: boolean }) {
  return (
    <time dateTime={at} title={exactTime(at)}>
      {exact ? exactTime(at) : clockTime(at)}
    </time>
  );
}
