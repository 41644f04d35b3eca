import { Problem } from '../problems/problem.js';

/** How many streams there may be, in all and of one principal, which has half of them at most. */
export class SubscriptionPlaces {
  readonly #ofPrincipal = new Map<string, number>();
  #taken = 0;

  constructor(private readonly most: number) {}

  /** @throws Problem `too-many-requests` */
  take(principal: string): void {
    const own = this.#ofPrincipal.get(principal) ?? 0;
    if (own >= Math.max(1, Math.floor(this.most / 2)))
      throw new Problem(
        'too-many-requests',
        `These credentials hold ${own} event streams, half of limits.connections: nobody gets more.`,
      );
    if (this.#taken >= this.most)
      throw new Problem('too-many-requests', `${this.#taken} event streams are open (limits.connections).`);
    this.#ofPrincipal.set(principal, own + 1);
    this.#taken++;
  }

  give(principal: string): void {
    const left = (this.#ofPrincipal.get(principal) ?? 1) - 1;
    this.#taken--;
    if (left === 0) this.#ofPrincipal.delete(principal);
    else this.#ofPrincipal.set(principal, left);
  }
}
