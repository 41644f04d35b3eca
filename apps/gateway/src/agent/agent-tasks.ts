import { Semaphore } from '@qmp-gateway/qmp';
import { Problem } from '../problems/problem.js';

/**
 * Tasks of several commands that are under way at once, over all VMs. A file has two parts of half a MiB in memory; a
 * program has little until it ends, and then the ReplyBudget counts.
 */
const most = { files: 64, programs: 1000 } as const;
/** Of these, what one guest may have: one that never answers leaves the others their places. */
const mostOfGuest = { files: most.files / 4, programs: most.programs / 4 } as const;

type TaskKind = keyof typeof most;
type Places = Readonly<Record<TaskKind, Semaphore>>;

function placesFor(bounds: Readonly<Record<TaskKind, number>>): Places {
  return { files: new Semaphore(bounds.files), programs: new Semaphore(bounds.programs) };
}

/** Bounds what is asked of guest agents in tasks that go on for as long as a caller likes. */
export class AgentTasks {
  readonly #all = placesFor(most);
  /** Of guests that have a task under way. */
  readonly #ofGuests = new Map<string, Places>();

  /**
   * @param vm whose guest the task is about
   * @throws Problem `too-many-requests`, or what the task throws
   */
  async run<T>(kind: TaskKind, vm: string, task: () => Promise<T>): Promise<T> {
    const own = this.#ofGuests.get(vm) ?? placesFor(mostOfGuest);
    if (!own[kind].tryEnter())
      throw tooMany(`${mostOfGuest[kind]} ${kind} of this guest are under way already; others have the rest.`, vm);
    if (!this.#all[kind].tryEnter()) {
      own[kind].leave();
      throw tooMany(`${most[kind]} ${kind} of guests are under way already.`, vm);
    }
    this.#ofGuests.set(vm, own);
    try {
      return await task();
    } finally {
      own[kind].leave();
      this.#all[kind].leave();
      if (own.files.taken + own.programs.taken === 0) this.#ofGuests.delete(vm);
    }
  }
}

function tooMany(detail: string, vm: string): Problem {
  return new Problem('too-many-requests', detail, { vm });
}
