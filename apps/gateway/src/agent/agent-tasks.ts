import { Problem } from '../problems/problem.js';

/**
 * Tasks of several commands that are under way at once, over all VMs. A file has two parts of half a MiB in memory; a
 * program has little until it ends, and then the ReplyBudget counts.
 */
const most = { files: 64, programs: 1000 } as const;
/** Of these, what one guest may have: one that never answers leaves the others their places. */
const mostOfGuest = { files: most.files / 4, programs: most.programs / 4 } as const;

interface UnderWay {
  files: number;
  programs: number;
}

/** Bounds what is asked of guest agents in tasks that go on for as long as a caller likes. */
export class AgentTasks {
  readonly #underWay: UnderWay = { files: 0, programs: 0 };
  readonly #ofGuests = new Map<string, UnderWay>();

  /**
   * @param vm whose guest the task is about
   * @throws Problem `too-many-requests`, or what the task throws
   */
  async run<T>(kind: keyof UnderWay, vm: string, task: () => Promise<T>): Promise<T> {
    const own = this.#ofGuests.get(vm) ?? { files: 0, programs: 0 };
    if (own[kind] >= mostOfGuest[kind])
      throw tooMany(`${mostOfGuest[kind]} ${kind} of this guest are under way already; others have the rest.`, vm);
    if (this.#underWay[kind] >= most[kind]) throw tooMany(`${most[kind]} ${kind} of guests are under way already.`, vm);
    this.#ofGuests.set(vm, own);
    own[kind]++;
    this.#underWay[kind]++;
    try {
      return await task();
    } finally {
      own[kind]--;
      this.#underWay[kind]--;
      if (own.files + own.programs === 0) this.#ofGuests.delete(vm);
    }
  }
}

function tooMany(detail: string, vm: string): Problem {
  return new Problem('too-many-requests', detail, { vm });
}
