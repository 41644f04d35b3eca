/** The time source of this library; injected, so that tests control it. */
export interface Clock {
  /** Monotonic milliseconds, for deadlines: a host that sleeps or sets its clock does not end sessions. */
  now(): number;
  /** Wall-clock milliseconds, for display. */
  wall(): number;
  schedule(milliseconds: number, task: () => void): Timer;
}

export interface Timer {
  cancel(): void;
  /** A process that has nothing else to do does not wait for it. */
  unref(): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  schedule(milliseconds, task) {
    const timeout = setTimeout(task, milliseconds);
    return { cancel: () => clearTimeout(timeout), unref: () => void timeout.unref() };
  },
};
