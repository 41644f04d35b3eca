/** Types of events, and events out of their JSON. */
import { integerTable } from './generated/integer-table.js';
import type { Events } from './generated/qapi-types.js';
import type { CommandOperation, Vm } from './resources.js';
import { lookUp, widenIntegers } from './wide-integers.js';

/** QMP events in the types. */
export type EventName = keyof Events;

/** What every event carries; `Name` and `Data` are its own. */
export interface AnyEvent<Name extends string = string, Data = unknown> {
  /** Position in the stream of the gateway; opaque. */
  readonly cursor: string;
  /** Null where an event is about no single VM. */
  readonly vm: string | null;
  readonly epoch: string | null;
  readonly event: Name;
  readonly data: Data;
  /** The VM's clock; -1 where the host could not tell. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
  /** When the gateway received it. */
  readonly time: string;
  /** With `coalesce`: how many events this one stands for. */
  readonly coalesced?: number;
}

/** Event `Name` of a VM. */
export type QmpEvent<Name extends EventName = EventName> = {
  [N in Name]: AnyEvent<N, Events[N]> & { readonly vm: string };
}[Name];

/** Events of these VMs were missed; always delivered, whatever the filter. */
export type GapEvent = AnyEvent<
  'gap',
  {
    /** Null: of any VM. */
    readonly vm: string | null;
    readonly from: string;
    readonly to: string;
    /** How many, as far as this is known. */
    readonly missed: number | null;
  }
>;

/** Events of the gateway itself. */
export type OwnEvent =
  | AnyEvent<'vm-changed', Vm>
  | AnyEvent<'vm-removed', { readonly id: string }>
  | AnyEvent<'operation', CommandOperation>
  | GapEvent;

/** Told apart by `event`. What a VM sends beyond these comes too: treat it as an {@link AnyEvent}. */
export type GatewayEvent = QmpEvent | OwnEvent;

/** An event as the gateway writes it, with the integers of its type. */
export function gatewayEvent(value: unknown): GatewayEvent {
  const event = value as { data: unknown; event: string };
  event.data = widenIntegers(event.data, integerTable, lookUp(integerTable.events, event.event));
  return event as GatewayEvent;
}
