import type { CommandAnswer, CommandFollowing, CommandTrace } from '../commands/command-request.js';
import type { Operation } from './operation-store.js';
import { renderOperation, renderWork } from './operation-view.js';
import type { Preference } from './preference.js';
import type { WorkFollower } from './work-follower.js';
import type { Work } from './work.js';

/**
 * The answer to a command whose caller prefers to hear of its work (`Prefer`): the return value once the work is done,
 * the problem once it failed, 202 and the operation when the time is over before that. Told exactly once.
 */
export class PreferredAnswer implements CommandFollowing {
  readonly #until: number;
  #tell: ((answer: CommandAnswer) => void) | undefined;
  #operation: Operation | undefined;
  #timer: NodeJS.Timeout | undefined;
  #forget: () => void = () => undefined;

  /** @param arrivedAt monotonic milliseconds, from which the wait runs */
  constructor(
    private readonly preference: Preference,
    private readonly vm: string,
    arrivedAt: number,
    private readonly follower: WorkFollower,
    tell: (answer: CommandAnswer) => void,
  ) {
    this.#tell = tell;
    this.#until = arrivedAt + preference.waitMs;
    if (preference.waitMs > 0) this.#timer = setTimeout(() => this.#goesOn(), this.#leftMs);
  }

  accepted(operation: Operation): void {
    this.#operation = operation;
    if (this.#leftMs <= 0) this.#goesOn();
  }

  /** The reply, or what became of the command instead. */
  answer(end: CommandAnswer): void {
    const { operation } = end.trace;
    const isLate = !end.ok && end.problem.code === 'deadline-exceeded' && end.problem.outcome === 'unknown';
    if (isLate) this.#goesOn(end.trace);
    else if (!end.ok || operation === undefined) this.#finish(end);
    else this.#awaitWork(end, this.follower.store.get(this.vm, operation));
  }

  /** The caller has left. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#forget();
    this.#tell = undefined;
  }

  get #leftMs(): number {
    return Math.max(0, this.#until - performance.now());
  }

  #awaitWork(end: CommandAnswer, work: Work | undefined): void {
    if (this.#tell === undefined) return;
    if (work === undefined || work.over) {
      const problem = work?.problem;
      this.#finish(problem === undefined ? end : { ok: false, problem, trace: end.trace });
      return;
    }
    clearTimeout(this.#timer);
    this.#forget = this.follower.onceOver(work, this.#leftMs, () => {
      if (work.over) this.#awaitWork(end, work);
      else this.#goesOn(end.trace);
    });
  }

  /** The time is over, and the command or its work is not. */
  #goesOn(trace: CommandTrace = {}): void {
    const id = trace.operation ?? this.#operation?.id;
    // Not accepted yet: there is nothing that could be asked for later.
    if (id === undefined) return;
    const work = this.follower.store.get(this.vm, id);
    const json = work === undefined ? this.#operation && renderOperation(this.#operation) : renderWork(work);
    if (json === undefined) return;
    const location = `/v1/vms/${this.vm}/operations/${id}`;
    this.#finish({ ok: true, json, trace: { ...trace, operation: id, location } });
  }

  #finish(end: CommandAnswer): void {
    const tell = this.#tell;
    this.abandon();
    const { trace } = end;
    const isApplied = trace.operation !== undefined;
    tell?.({ ...end, trace: isApplied ? { ...trace, preference: this.preference.applied } : trace });
  }
}
