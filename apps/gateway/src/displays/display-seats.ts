/** Somebody who looks at a display, or types there. */
export interface SeatHolder {
  /** Id of the principal. */
  readonly principal: string;
  /** Its name, for others to see. */
  readonly name: string;
  readonly types: boolean;
  /** Somebody else types now. @param by its name */
  takenOver(by: string): void;
}

/** Why there is no seat. */
export type NoSeat =
  { readonly why: 'typist'; readonly typist: string } | { readonly why: 'limit'; readonly most: number };

interface Room {
  typist: SeatHolder | undefined;
  readonly holders: Set<SeatHolder>;
}

/** Who is at which display: any number who look, one who types. */
export class DisplaySeats {
  readonly #rooms = new Map<string, Room>();
  readonly #ofPrincipal = new Map<string, number>();

  /** @param limits how many displays one principal may have open; read each time */
  constructor(private readonly limits: { readonly displays: number }) {}

  /** @param take the typist, if there is one, is told and gone */
  enter(vm: string, display: string, holder: SeatHolder, take: boolean): NoSeat | undefined {
    const open = this.#ofPrincipal.get(holder.principal) ?? 0;
    if (open >= this.limits.displays) return { why: 'limit', most: this.limits.displays };
    const key = keyOf(vm, display);
    const room = this.#rooms.get(key) ?? { typist: undefined, holders: new Set<SeatHolder>() };
    const { typist } = room;
    if (holder.types && typist !== undefined && !take) return { why: 'typist', typist: typist.name };
    this.#rooms.set(key, room);
    this.#ofPrincipal.set(holder.principal, open + 1);
    room.holders.add(holder);
    if (holder.types) {
      room.typist = holder;
      typist?.takenOver(holder.name);
    }
    return undefined;
  }

  leave(vm: string, display: string, holder: SeatHolder): void {
    const key = keyOf(vm, display);
    const room = this.#rooms.get(key);
    if (room?.holders.delete(holder) !== true) return;
    if (room.typist === holder) room.typist = undefined;
    if (room.holders.size === 0) this.#rooms.delete(key);
    const left = (this.#ofPrincipal.get(holder.principal) ?? 1) - 1;
    if (left === 0) this.#ofPrincipal.delete(holder.principal);
    else this.#ofPrincipal.set(holder.principal, left);
  }

  /** Who is there, the typist among them. */
  at(vm: string, display: string): { readonly viewers: number; readonly typist: string | null } {
    const room = this.#rooms.get(keyOf(vm, display));
    return { viewers: room?.holders.size ?? 0, typist: room?.typist?.name ?? null };
  }
}

/** No id of a VM has a slash. */
function keyOf(vm: string, display: string): string {
  return `${vm}/${display}`;
}
