/** Asks for so many bytes of a stream, and says what is to be sent; ends with what was read. */
export type Steps<Result> = Generator<number | { readonly send: Buffer }, Result, Buffer>;

/** Feeds steps with pieces of a stream. However it is cut, each byte is copied once at most for each step it waits for. */
export class StepReader<Result> {
  #result: Result | undefined;
  #pieces: Buffer[] = [];
  #length = 0;
  #wanted = 0;

  constructor(private readonly steps: Steps<Result>) {
    this.#advance(Buffer.alloc(0), []);
  }

  /** Undefined while the steps go on. */
  get result(): Result | undefined {
    return this.#result;
  }

  /** @returns what is to be sent. @throws what the steps throw */
  push(chunk: Buffer): Buffer[] {
    const sent: Buffer[] = [];
    this.#pieces.push(chunk);
    this.#length += chunk.length;
    while (this.#goesOn()) {
      const all = this.#all();
      this.#keep(all.subarray(this.#wanted));
      this.#advance(all.subarray(0, this.#wanted), sent);
    }
    return sent;
  }

  /** Gives away what came after the steps' end. */
  takeRest(): Buffer {
    const rest = this.#all();
    this.#keep(rest.subarray(rest.length));
    return rest;
  }

  #goesOn(): boolean {
    return this.#result === undefined && this.#length >= this.#wanted;
  }

  #all(): Buffer {
    const [first] = this.#pieces;
    return first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
  }

  #keep(rest: Buffer): void {
    this.#pieces = [rest];
    this.#length = rest.length;
  }

  #advance(bytes: Buffer, sent: Buffer[]): void {
    for (let step = this.steps.next(bytes); ; step = this.steps.next(bytes)) {
      if (step.done === true) {
        this.#result = step.value;
        return;
      }
      if (typeof step.value === 'number') {
        this.#wanted = step.value;
        return;
      }
      sent.push(step.value.send);
    }
  }
}
