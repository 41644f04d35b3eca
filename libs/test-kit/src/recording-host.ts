import type {
  AnomalyKind,
  Health,
  Monitor,
  MonitorHost,
  MonitorState,
  MonitorStateName,
  Settlement,
  QmpEvent,
  SessionInfo,
} from '@qmp-gateway/qmp';

/** An owner of a monitor that records its callbacks, and lets tests wait for them. */
export class RecordingHost implements MonitorHost {
  readonly states: MonitorState[] = [];
  readonly healths: (Health | null)[] = [];
  readonly events: { readonly event: QmpEvent; readonly session: SessionInfo }[] = [];
  /** Names of events over their bound. */
  readonly leftOut: string[] = [];
  readonly anomalies: { readonly kind: AnomalyKind; readonly detail: string }[] = [];
  places = 0;
  /** Number of reports that the agent has not answered. */
  silences = 0;
  prepare?: (session: SessionInfo) => Promise<void>;
  #waiting = new Set<() => void>();

  stateChanged(state: MonitorState): void {
    this.states.push(state);
    this.#changed();
  }

  healthChanged(health: Health | null): void {
    this.healths.push(health);
    this.#changed();
  }

  event(event: QmpEvent, session: SessionInfo): void {
    this.events.push({ event, session });
    this.#changed();
  }

  eventLeftOut(name: string): void {
    this.leftOut.push(name);
    this.#changed();
  }

  place(): void {
    this.places++;
    this.#changed();
  }

  silent(): void {
    this.silences++;
    this.#changed();
  }

  anomaly(kind: AnomalyKind, detail: string): void {
    this.anomalies.push({ kind, detail });
    this.#changed();
  }

  get stateNames(): MonitorStateName[] {
    return this.states.map(({ name }) => name);
  }

  get eventNames(): string[] {
    return this.events.map(({ event }) => event.name);
  }

  /** Resolves as soon as `holds()` is true; checked after every call of the host. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** The next state of this name after the call, or the current one if it has this name. */
  async reached<Name extends MonitorStateName>(
    monitor: Monitor,
    name: Name,
  ): Promise<Extract<MonitorState, { name: Name }>> {
    const from = Math.max(0, this.states.length - 1);
    const found = (): MonitorState | undefined =>
      monitor.state.name === name ? monitor.state : this.states.slice(from).find((state) => state.name === name);
    await this.until(() => found() !== undefined);
    return found() as Extract<MonitorState, { name: Name }>;
  }

  #changed(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** A command that records everything for a test. */
export interface ProbedExecution {
  readonly outcome: Promise<Settlement>;
  readonly written: () => boolean;
  /** Number of times it was settled; must be 1 in the end. */
  readonly settled: () => number;
}

/** Runs one command through `Monitor.execute`. */
export function probe(
  monitor: Monitor,
  command: string,
  rest: { argumentsJson?: string; outOfBand?: boolean } = {},
): ProbedExecution {
  let settled = 0;
  let written = false;
  const settlement = new Promise<Settlement>((resolve) => {
    monitor.execute({
      command,
      ...rest,
      onWrite: () => {
        if (written) throw new Error('onWrite called twice');
        written = true;
      },
      settle: (result) => {
        settled++;
        resolve(result);
      },
    });
  });
  return { outcome: settlement, written: () => written, settled: () => settled };
}
