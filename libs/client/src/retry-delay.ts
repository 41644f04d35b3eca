const firstDelayMs = 250;
const longestDelayMs = 10_000;

/** How long to wait before the next connection. @param failures in a row, @param random between 0 and 1 */
export function retryDelay(failures: number, random: () => number = Math.random): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** failures) * (0.5 + random() / 2);
}

/** Resolves after this many milliseconds, or early when `signal` is aborted. */
export function sleepUnlessAborted(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done);
  });
}
