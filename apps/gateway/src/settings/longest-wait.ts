/** Longer waits are cut to this, and the answer says so. */
export const longestWaitMs = 10 * 60_000;
