import { Problem } from '../problems/problem.js';

/**
 * Tasks of several commands that are under way at once, over all VMs. A file has two parts of half a MiB in memory; a
 * program has little until it ends, and then the ReplyBudget counts.
 */
const most = { files: 64, programs: 1000 } as const;

/** Bounds what is asked of guest agents in tasks that go on for as long as a caller likes. */
export class AgentTasks {
  readonly #underWay = { files: 0, programs: 0 };

  /** @throws Problem `too-many-requests`, or what the task throws */
  async run<T>(kind: keyof typeof most, task: () => Promise<T>): Promise<T> {
    if (this.#underWay[kind] >= most[kind])
      throw new Problem('too-many-requests', `${most[kind]} ${kind} of guests are under way already.`);
    this.#underWay[kind]++;
    try {
      return await task();
    } finally {
      this.#underWay[kind]--;
    }
  }
}
