/** Time as this library uses it; injected, so that tests move it. */
export interface Clock {
  /** Monotonic milliseconds, for deadlines: a host that sleeps or sets its clock ends no session. */
  now(): number;
  /** Wall-clock milliseconds, for showing. */
  wall(): number;
  schedule(milliseconds: number, task: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  schedule(milliseconds, task) {
    const timeout = setTimeout(task, milliseconds);
    return { cancel: () => clearTimeout(timeout) };
  },
};
