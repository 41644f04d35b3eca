/** Streams of one line, and of one principal: more are a client that forgets to close them. */
const mostOfLine = 64;
const mostOfPrincipal = 256;

/** How many streams of serial lines each principal has open. */
export class SerialPlaces {
  readonly #ofPrincipal = new Map<string, number>();

  /** Why there is no place, in a line. @param readers of the line now */
  refusal(principal: string, readers: number): string | undefined {
    if (readers >= mostOfLine) return `The line has ${readers} readers; nobody else may look.`;
    const own = this.#ofPrincipal.get(principal) ?? 0;
    return own >= mostOfPrincipal ? `These credentials have ${own} serial lines open; that is the most.` : undefined;
  }

  take(principal: string): void {
    this.#ofPrincipal.set(principal, (this.#ofPrincipal.get(principal) ?? 0) + 1);
  }

  give(principal: string): void {
    const left = (this.#ofPrincipal.get(principal) ?? 1) - 1;
    if (left === 0) this.#ofPrincipal.delete(principal);
    else this.#ofPrincipal.set(principal, left);
  }
}
