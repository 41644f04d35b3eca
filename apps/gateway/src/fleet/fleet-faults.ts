import type { ProblemCode } from '../problems/catalogue.js';

/** Faults that are remembered at most; each has a name of its own. */
const mostFaults = 50;

/** How a node stands with its fleet. */
export interface FleetState {
  /** Undefined: it is a part of it. */
  readonly problem: Extract<ProblemCode, 'fleet-unavailable' | 'fleet-misconfigured'> | undefined;
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
}

/** What somebody has to change before this node can be a part of its fleet: every part of the fleet tells its own. */
export class FleetFaults {
  readonly #faults = new Map<string, string>();

  /** @param subject what it is about, always the same for the same thing @param fault undefined: it is well now */
  set(subject: string, fault: string | undefined): void {
    if (fault === undefined) this.#faults.delete(subject);
    else if (this.#faults.size < mostFaults || this.#faults.has(subject)) this.#faults.set(subject, fault);
  }

  get all(): readonly string[] {
    return [...this.#faults.values()];
  }
}
