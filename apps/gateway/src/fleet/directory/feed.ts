import { isViewOf } from '@qmp-gateway/fleet-protocol';
import type { EventParts } from '../../events/event-record.js';
import type { ReceivedBatch } from '../fleet-view.js';

/** The events of the fleet in their order, each batch once. */
export interface BatchFeed {
  onBatch(listener: (batch: ReceivedBatch) => void): void;
}

/** What was missed of one node can be read again from the stream. */
export interface BatchArchive {
  /**
   * The first batch of the node behind a place of the stream; undefined where there is none any more.
   * @throws Error when the stream cannot be asked
   */
  next(node: string, afterSequence: number): Promise<ReceivedBatch | undefined>;
  /** The newest batch of the node. @throws Error when the stream cannot be asked */
  last(node: string): Promise<ReceivedBatch | undefined>;
}

/** Where this node is with its own events: each member says how it is when it is read. */
export interface OwnEvents {
  /** The number of the newest one that has a number: what waits for one comes after it. */
  readonly last: number;
  /** The place of the newest batch of this run that the stream has confirmed; 0 before the first. */
  readonly acknowledged: number;
  /** Events of this run about how VMs are that will never be in the stream. */
  readonly dropped: number;
}

/** What an event says of how a VM is. */
export type VmChange =
  | {
      readonly kind: 'changed';
      readonly id: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly epoch: string | null;
      /** JSON for principals from level `configure` up. */
      readonly full: string;
      /** For those below. */
      readonly reduced: string;
    }
  | { readonly kind: 'removed'; readonly id: string };

/** Reads one line of a batch; undefined for an event that changes no VM's view. @throws Error for what is no event */
export type VmChangeReader = (line: string) => VmChange | undefined;

/** What nodes and the directory need of the events of a fleet. */
export interface FleetEventSide {
  readonly feed: BatchFeed;
  readonly archive: BatchArchive;
  readonly own: OwnEvents;
  readonly readChange: VmChangeReader;
  /** Further members for the header of each heartbeat, asked for as it is made. */
  addToHeartbeats(fields: () => Readonly<Record<string, unknown>>): void;
  /** Sends a heartbeat at once, as its header has news. */
  beatNow(): void;
  /** Whether this node has its name, and may send events under it; until it is told, it may not. */
  permit(isPermitted: boolean): void;
  /** What this entry tells by itself: asked for with each batch, and given a place behind it. */
  tellFrom(source: (most: number) => readonly EventParts[]): void;
}

/** An event as its line says it. */
export interface ToldEvent {
  readonly source: {
    readonly id: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly epoch: string | null;
  };
  readonly name: string;
  /** JSON. */
  readonly data: string;
  readonly reducedData?: string | undefined;
}

/** How many commands are under way is of the moment, and no event says when it changes. */
const inFlight = /,"inFlight":\d+\}$/;

/** What an event says of how a VM is; undefined for one that says nothing of that. */
export function vmChangeOf({ source, name, data, reducedData = data }: ToldEvent): VmChange | undefined {
  const { id, labels, epoch } = source;
  if (name === 'vm-removed') return { kind: 'removed', id };
  if (name !== 'vm-changed') return undefined;
  const [full, reduced] = [data, reducedData].map((view) => view.replace(inFlight, '}')) as [string, string];
  // What another node wrote becomes a row of lists as it is.
  if (!isViewOf(id, full) || !isViewOf(id, reduced)) return undefined;
  return { kind: 'changed', id, labels, epoch, full, reduced };
}

/** Whether a line could be of an event that changes a VM's view: a look without reading it. */
export function mayChangeVm(line: string): boolean {
  return line.includes('"vm-changed"') || line.includes('"vm-removed"');
}
