import { setTimeout as pause } from 'node:timers/promises';

/**
 * Loops that go on side by side until the end, and stand still while something is measured. An owner of none of what they
 * do: each of them leaves nothing open between two of its turns.
 */
export class Workload {
  /** Turns done, by the name of the loop. */
  readonly turns: Record<string, number> = {};
  readonly faults: string[] = [];
  #ended = false;
  #busy = 0;
  #standing: Promise<void> | undefined;
  #goOn: () => void = () => undefined;
  #stood: (() => void) | undefined;
  readonly #loops: Promise<void>[] = [];

  /** Starts a loop: a turn, a pause, a turn. What a turn throws is a fault of the run. */
  loop(name: string, pauseMs: number, turn: (count: number) => Promise<unknown>): void {
    this.turns[name] = 0;
    this.#loops.push(this.#run(name, pauseMs, turn));
  }

  /** Resolves when every loop stands between two turns. */
  async standStill(): Promise<void> {
    this.#standing = new Promise((resolve) => (this.#goOn = resolve));
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#stood = resolve));
  }

  goOn(): void {
    this.#standing = undefined;
    this.#goOn();
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.goOn();
    await Promise.all(this.#loops);
  }

  async #run(name: string, pauseMs: number, turn: (count: number) => Promise<unknown>): Promise<void> {
    for (let count = 0; ; count++) {
      // The pace of a client; nothing waits for it.
      await pause(pauseMs);
      if (this.#standing !== undefined) await this.#standing;
      if (this.#ended) return;
      this.#busy++;
      try {
        await turn(count);
      } catch (error) {
        this.faults.push(`${name}: ${String(error)}`);
      }
      this.turns[name] = count + 1;
      if (--this.#busy === 0) this.#stood?.();
    }
  }
}
