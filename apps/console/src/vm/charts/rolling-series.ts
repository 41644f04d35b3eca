/** Points of several lines over the same times, the newest within a bound. */
export class RollingSeries {
  #times: number[] = [];
  readonly #lines = new Map<string, (number | null)[]>();

  /** @param points how many moments are kept */
  constructor(private readonly points: number) {}

  /** Names of the lines in the order in which they first came. */
  get names(): readonly string[] {
    return [...this.#lines.keys()];
  }

  get length(): number {
    return this.#times.length;
  }

  /**
   * Adds a moment. A line without a value there has a hole; a line that is new has holes before.
   * @param seconds since 1970
   */
  add(seconds: number, values: ReadonlyMap<string, number | null>): void {
    for (const name of values.keys())
      if (!this.#lines.has(name))
        this.#lines.set(
          name,
          this.#times.map(() => null),
        );
    this.#times.push(seconds);
    for (const [name, line] of this.#lines) line.push(values.get(name) ?? null);
    if (this.#times.length <= this.points) return;
    this.#times.shift();
    for (const [name, line] of this.#lines) {
      line.shift();
      if (line.every((value) => value === null) && !values.has(name)) this.#lines.delete(name);
    }
  }

  /** The newest value of a line; null where there is none. */
  last(name: string): number | null {
    return this.#lines.get(name)?.at(-1) ?? null;
  }

  /** Times, then a column for each name, as a chart takes them. */
  columns(): [number[], ...(number | null)[][]] {
    return [this.#times, ...this.#lines.values()];
  }
}
