/** Names of sessions: `<run>.<n>`, with a lease `<run>.<n>.<lease>`; none given twice. */
export class Epochs {
  #given = 0;

  /** @param run name of this run of the gateway */
  constructor(private readonly run: string) {}

  /** @param lease under which the VM was dialled */
  next(lease?: number): string {
    const epoch = `${this.run}.${++this.#given}`;
    return lease === undefined ? epoch : `${epoch}.${lease}`;
  }
}
