/**
 * Runs tasks one after the other, in the order they were given; one that fails holds up nobody. Whoever gives a task
 * waits for it, so the queue is as long as its callers are many.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as the task does, once its turn has come. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when the tasks given so far have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
