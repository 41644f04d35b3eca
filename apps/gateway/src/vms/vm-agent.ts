import {
  Monitor,
  parseEndpoint,
  type Fault,
  type MonitorHost,
  type MonitorOptions,
  type MonitorState,
} from '@qmp-gateway/qmp';

/**
 * Where a guest agent is. `silent`: connected, but nobody in the guest answers; `waiting`: no connection; `busy`: others
 * wait for the socket already. It is kept while the agent is dialled again and changes only when that ended differently:
 * most agents are either there or not, and nobody wants to be told every few seconds.
 */
export type AgentState = 'connecting' | 'ready' | 'silent' | 'busy' | 'waiting';

/**
 * The guest agent of a VM: a second connection, independent of the monitor's. That it is not there says nothing about
 * the VM, so it is a state here and never a fault of the VM.
 */
export class VmAgent implements MonitorHost {
  readonly monitor: Monitor;
  #state: AgentState = 'connecting';
  #since = Date.now();
  #lastFault: Fault | null = null;

  /** @param changed called when what the view shows is different now */
  constructor(
    readonly endpoint: string,
    options: MonitorOptions,
    private readonly changed: () => void,
  ) {
    this.monitor = new Monitor(parseEndpoint(endpoint), this, { ...options, dialect: 'guest-agent' });
  }

  get state(): AgentState {
    return this.#state;
  }

  /** Wall-clock milliseconds of the last change of `state`. */
  get since(): number {
    return this.#since;
  }

  /** Why it was away last, told with the time it was first away for that reason. */
  get lastFault(): Fault | null {
    return this.#lastFault;
  }

  stateChanged(state: MonitorState): void {
    const next = agentState(state);
    if (next === undefined) return;
    const fault = 'fault' in state && state.fault.code !== this.#lastFault?.code ? state.fault : undefined;
    if (next === this.#state && fault === undefined) return;
    if (next !== this.#state) this.#since = state.since;
    this.#state = next;
    if (fault !== undefined) this.#lastFault = fault;
    this.changed();
  }

  event(): void {
    // The guest agent has none.
  }
}

/** Undefined for states on the way to others. */
function agentState(state: MonitorState): AgentState | undefined {
  switch (state.name) {
    case 'ready':
    case 'busy':
      return state.name;
    case 'waiting':
    case 'closed':
      return state.fault.code === 'agent-silent' ? 'silent' : 'waiting';
    default:
      return undefined;
  }
}
