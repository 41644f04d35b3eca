import type { LastError, MonitorState, MonitorStateName } from '@qmp-gateway/qmp';

/**
 * What is shown of a connection that is made again and again. It stays while it is dialled again, and changes when that
 * ended differently: in another state, or for another reason. Nobody wants to be told every few seconds that what could
 * not be had still can't.
 */
export class ShownVmState<Name extends string> {
  #lastError: LastError | null = null;

  /** @param since wall-clock milliseconds */
  constructor(
    private shown: Name,
    private from: number,
  ) {}

  get name(): Name {
    return this.shown;
  }

  /** Wall-clock milliseconds of the last change of `name`. */
  get since(): number {
    return this.from;
  }

  /** Why there was no connection last, with the time it was first so for that reason; kept while there is one. */
  get lastError(): LastError | null {
    return this.#lastError;
  }

  /** @returns whether something else is shown now */
  become(name: Name, since: number, lastError: LastError | undefined): boolean {
    const sameName = name === this.shown;
    if (sameName && (lastError === undefined || lastError.code === this.#lastError?.code)) return false;
    if (!sameName) this.from = since;
    this.shown = name;
    this.#lastError = lastError ?? this.#lastError;
    return true;
  }
}

const away: ReadonlySet<MonitorStateName> = new Set(['waiting', 'busy', 'closed']);

/** True for the states on the way from one dial to its end, of a connection that was dialled before in vain. */
export function isDialledAgain(state: MonitorState, shown: MonitorStateName): boolean {
  return (state.name === 'connecting' || state.name === 'negotiating') && away.has(shown);
}
