import type { Limits } from '../settings/settings.js';

/** A command that waits for its turn. */
export interface QueuedCommand {
  /** Who asks: turns go round over the principals. */
  readonly principalId: string;
  /** Its turn came: hands itself to the monitor or ends itself. */
  send(): void;
  /** The VM is in no state to wait for. */
  refuse(): void;
  /** The queue is full, and somebody with fewer commands in it needs the place. */
  giveWay(): void;
}

/** Waiting commands of one principal: an array read from `head`; a withdrawn command leaves a hole. */
interface PrincipalQueue {
  readonly principalId: string;
  commands: (QueuedCommand | undefined)[];
  head: number;
  waiting: number;
}

/** Used-up places at the front of an array before they are cut off. */
const usedUp = 256;

/**
 * The commands that wait for one VM: first in, first out for each principal, places given round-robin over principals,
 * so that a script with a thousand commands delays nobody else's next one by more than one turn. Bounded in all; at the
 * bound whoever has most waiting gives up the last of them to who has fewer.
 *
 * Plain arrays, not a Map or Set: under constant adding and deleting those leave a chain of dead tables behind, which
 * keeps finished requests alive until the next full garbage collection.
 */
export class CommandQueue {
  /** In the order of turns: who was served goes to the end. */
  readonly #principals: PrincipalQueue[] = [];
  /** Commands whose turn came and is not over: those of the same principal wait for them. */
  #held: QueuedCommand[] = [];
  #size = 0;

  constructor(private readonly limits: Pick<Limits, 'queue'>) {}

  /** Commands that may wait. */
  get bound(): number {
    return this.limits.queue;
  }

  /** Commands that wait, those that are held among them. */
  get size(): number {
    return this.#size + this.#held.length;
  }

  /** @returns false when the queue is full. */
  add(command: QueuedCommand): boolean {
    const { principalId } = command;
    let own = this.#principals.find((queue) => queue.principalId === principalId);
    let last: QueuedCommand | undefined;
    if (this.#size >= this.bound) {
      last = this.#lastOfMost(own?.waiting ?? 0);
      if (last === undefined) return false;
      this.withdraw(last);
    }
    if (own === undefined) {
      own = { principalId, commands: [], head: 0, waiting: 0 };
      this.#principals.push(own);
    }
    own.commands.push(command);
    own.waiting++;
    this.#size++;
    // At the end: whoever is told may come back at once.
    last?.giveWay();
    return true;
  }

  /** The newest command of the principal with most, when it has more than a newcomer with `own` will have then. */
  #lastOfMost(own: number): QueuedCommand | undefined {
    let most: PrincipalQueue | undefined;
    for (const queue of this.#principals) if (queue.waiting > (most?.waiting ?? own + 1)) most = queue;
    return most?.commands.findLast((command) => command !== undefined);
  }

  /** Takes a command out whose deadline passed. */
  withdraw(command: QueuedCommand): void {
    const own = this.#principals.find((queue) => queue.principalId === command.principalId);
    const at = own?.commands.indexOf(command) ?? -1;
    if (own === undefined || at < 0) return;
    own.commands[at] = undefined;
    this.#size--;
    if (--own.waiting === 0) this.#principals.splice(this.#principals.indexOf(own), 1);
  }

  /**
   * The turn of a command came, and something has to be known before it can be sent: nothing of its principal overtakes
   * it, and others have their turns. Its owner must `release` it, whatever comes.
   */
  hold(command: QueuedCommand): void {
    this.#held.push(command);
  }

  /** @param resume puts it before all others: its turn goes on. Else it ended meanwhile. */
  release(command: QueuedCommand, resume: boolean): void {
    this.#held = this.#held.filter((held) => held !== command);
    if (!resume) return;
    const { principalId } = command;
    const at = this.#principals.findIndex((queue) => queue.principalId === principalId);
    const [own] = at < 0 ? [] : this.#principals.splice(at, 1);
    const waiting = own?.commands.slice(own.head) ?? [];
    const commands = [command, ...waiting];
    this.#principals.unshift({ principalId, commands, head: 0, waiting: (own?.waiting ?? 0) + 1 });
    this.#size++;
  }

  /** Takes the queue of whose turn it is. */
  #take(): PrincipalQueue | undefined {
    if (this.#held.length === 0) return this.#principals.shift();
    const at = this.#principals.findIndex(
      ({ principalId }) => !this.#held.some((held) => held.principalId === principalId),
    );
    return at < 0 ? undefined : this.#principals.splice(at, 1)[0];
  }

  /** The command whose turn it is, or undefined when none waits or all that wait are behind a held one. */
  next(): QueuedCommand | undefined {
    const own = this.#take();
    if (own === undefined) return undefined;
    let command: QueuedCommand | undefined;
    while (command === undefined) {
      command = own.commands[own.head];
      own.commands[own.head++] = undefined;
    }
    this.#size--;
    if (--own.waiting > 0) {
      if (own.head >= usedUp) {
        own.commands = own.commands.slice(own.head);
        own.head = 0;
      }
      this.#principals.push(own);
    }
    return command;
  }

  /** Gives the free places of a monitor to those that wait. */
  serve(monitor: { readonly places: number }): void {
    while (monitor.places > 0) {
      const command = this.next();
      if (command === undefined) return;
      command.send();
    }
  }

  /** Ends all that wait. */
  refuseAll(): void {
    // What is held learns by what it waits for that the session is over.
    this.#held = [];
    for (let command = this.next(); command !== undefined; command = this.next()) command.refuse();
  }
}
