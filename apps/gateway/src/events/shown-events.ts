import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { parseCursor } from './cursor.js';
import type { EventHub } from './event-hub.js';
import type { EndReason } from './subscriber.js';

/** How long a reader waits for events that another entry of the fleet had already. */
const behindMs = 3000;

/** What the fleet's sequence is read from. */
export interface FleetSequence {
  /** Where the fleet is, as far as this node's own events are known to be in its sequence; undefined before. */
  ownPosition(): string | undefined;
  /** Somebody names another run than the one that is being read: looks whether there is one. */
  verify(): Promise<void>;
}

/**
 * The sequences of events that this gateway shows: its own, and at an entry of a fleet that of all nodes, which is what
 * clients get unless they ask for the node's.
 */
export class ShownEvents {
  readonly #waiting = new Set<() => void>();
  #sequence: FleetSequence | undefined;
  #joined = false;

  /** @param fleet undefined where there is no fleet, or this node only owns VMs of it */
  constructor(
    readonly node: EventHub,
    readonly fleet: EventHub | undefined,
    private readonly clock: Clock = systemClock,
  ) {}

  /** @param scope `node`: only what this gateway published itself, under its own cursors */
  of(scope: 'node' | undefined): EventHub {
    return scope === 'node' ? this.node : (this.fleet ?? this.node);
  }

  /** The newest position. */
  head(): string {
    return this.of(undefined).head();
  }

  /** A position before everything that a command causes which is written now. */
  commandCursor(): string {
    return (this.fleet === undefined ? undefined : this.#sequence?.ownPosition()) ?? this.head();
  }

  /** The fleet's sequence comes from there. */
  readFrom(sequence: FleetSequence): void {
    this.#sequence = sequence;
  }

  /** The fleet's sequence has moved on. */
  moved(): void {
    this.#joined = true;
    for (const look of [...this.#waiting]) look();
  }

  /**
   * Waits until a sequence has reached what a reader asks for, 3 s at most: entries of a fleet are not equally far.
   * @param cursor undefined: now
   * @returns undefined when there is nothing to wait for
   */
  reached(hub: EventHub, cursor: string | undefined): Promise<void> | undefined {
    if (hub !== this.fleet || this.#has(cursor)) return undefined;
    return new Promise<void>((resolve) => {
      const end = (): void => {
        late.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (this.#has(cursor)) end();
      };
      const late = this.clock.schedule(behindMs, end);
      this.#waiting.add(look);
      if (this.#joined && this.#isOfOtherRun(cursor)) void this.#sequence?.verify().then(end, end);
    });
  }

  /** Delivers what there is and ends every stream. */
  closeAll(reason?: EndReason): void {
    this.node.closeAll(reason);
    this.fleet?.closeAll(reason);
  }

  #isOfOtherRun(text: string | undefined): boolean {
    const cursor = text === undefined ? undefined : parseCursor(text);
    return cursor !== undefined && cursor.run !== this.fleet?.run;
  }

  #has(text: string | undefined): boolean {
    const { fleet } = this;
    if (fleet === undefined) return true;
    if (!this.#joined || fleet.isBehind) return false;
    const cursor = text === undefined || text === 'oldest' ? undefined : parseCursor(text);
    return cursor === undefined || (cursor.run === fleet.run && cursor.n <= fleet.headNumber);
  }
}
