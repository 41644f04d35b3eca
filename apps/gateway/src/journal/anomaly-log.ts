import { shownText, systemClock, type Clock } from '@qmp-gateway/qmp';

/** Milliseconds from one line about a kind of a VM to the next. */
const pauseMs = 60_000;
/** Milliseconds until the very same is told again. */
const sameMs = 60 * 60_000;

/** One kind of oddity of one VM, as it was last written. */
interface Told {
  at: number;
  detail: string;
  /** Times it happened since. */
  untold: number;
}

/** A line of the log. */
export interface AnomalyLine {
  readonly vm: string;
  readonly kind: string;
  readonly detail: string;
  /** Times the kind was seen since the line before and had none of its own. */
  readonly untold?: number;
}

/**
 * What is odd about VMs, for the log. A VM can be odd a thousand times a second, so each kind has a line a minute at most,
 * and the very same an hour apart; metrics count them all.
 */
export class AnomalyLog {
  readonly #told = new WeakMap<object, Map<string, Told>>();

  constructor(
    private readonly write: (line: AnomalyLine) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  /** @param kind one of few */
  tell(vm: { readonly id: string }, kind: string, detail: string): void {
    let kinds = this.#told.get(vm);
    if (kinds === undefined) this.#told.set(vm, (kinds = new Map<string, Told>()));
    const now = this.clock.now();
    const told = kinds.get(kind);
    const shown = shownText(detail);
    if (told !== undefined && now - told.at < (told.detail === shown ? sameMs : pauseMs)) {
      told.untold++;
      return;
    }
    kinds.set(kind, { at: now, detail: shown, untold: 0 });
    const untold = told?.untold ?? 0;
    this.write({ vm: vm.id, kind, detail: shown, ...(untold === 0 ? {} : { untold }) });
  }
}
