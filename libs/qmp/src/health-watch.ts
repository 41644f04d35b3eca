import type { Clock, Timer } from './clock.js';

/**
 * `slow`: the oldest command is old, but the monitor's own thread answers out of band, so the main loop is busy.
 * `unresponsive`: that thread does not answer either, or out-of-band execution is not available and the command is
 * older still.
 */
export type Health = 'ok' | 'slow' | 'unresponsive';

/** All in milliseconds. */
const oldMs = 5000;
const probeMs = 2000;
const probeEveryMs = 1000;
const oldWithoutProbeMs = 10_000;

export interface HealthSource {
  /** Age of the oldest unanswered in-band command; null if there is none. */
  oldestAge(): number | null;
  /** Sends the out-of-band probe; null if out-of-band execution was not negotiated. */
  readonly probe: ((answered: () => void) => void) | null;
  changed(health: Health): void;
}

/** Watches one session. There is no cost per command: one timer runs while a command is unanswered. */
export class HealthWatch {
  readonly #clock: Clock;
  readonly #source: HealthSource;
  #health: Health = 'ok';
  #timer: Timer | null = null;
  #probeSentAt: number | null = null;
  #stopped = false;

  constructor(clock: Clock, source: HealthSource) {
    this.#clock = clock;
    this.#source = source;
  }

  get health(): Health {
    return this.#health;
  }

  /** A command was sent. */
  sent(): void {
    if (this.#timer === null) this.#wake(oldMs);
  }

  /** A command was answered. */
  answered(): void {
    if (this.#health !== 'ok') this.#check();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #wake(delay: number): void {
    this.#timer?.cancel();
    // A timer may fire slightly early by the monotonic clock; one more millisecond avoids a second run.
    this.#timer = this.#clock.schedule(delay + 1, () => {
      this.#timer = null;
      this.#check();
    });
  }

  #check(): void {
    if (this.#stopped) return;
    const age = this.#source.oldestAge();
    const { probe } = this.#source;
    if (age === null) {
      this.#set('ok');
    } else if (age <= oldMs) {
      this.#set('ok');
      this.#wake(oldMs - age);
    } else if (probe === null) {
      if (age > oldWithoutProbeMs) this.#set('unresponsive');
      this.#wake(Math.max(probeEveryMs, oldWithoutProbeMs - age));
    } else {
      this.#probe(probe);
    }
  }

  #probe(probe: (answered: () => void) => void): void {
    const now = this.#clock.now();
    if (this.#probeSentAt === null) {
      this.#probeSentAt = now;
      this.#wake(probeMs);
      probe(() => this.#probeAnswered());
    } else {
      const unanswered = now - this.#probeSentAt;
      if (unanswered >= probeMs) this.#set('unresponsive');
      this.#wake(Math.max(probeEveryMs, probeMs - unanswered));
    }
  }

  #probeAnswered(): void {
    this.#probeSentAt = null;
    if (this.#stopped) return;
    const age = this.#source.oldestAge();
    if (age !== null && age > oldMs) {
      this.#set('slow');
      this.#wake(probeEveryMs);
    } else {
      this.#check();
    }
  }

  #set(health: Health): void {
    if (health === this.#health) return;
    this.#health = health;
    this.#source.changed(health);
  }
}
