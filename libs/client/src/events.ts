/** Types of events, and their conversion from JSON. */
import { integerTable } from './generated/integer-table.js';
import type { Events } from './generated/qapi-types.js';
import type { EventPage, Vm } from './generated/gateway-types.js';
import type { CommandOperation } from './gateway-types.js';
import { lookUp, widenIntegers } from './wide-integers.js';

/** QMP events in the types. */
export type EventName = keyof Events;

/** The members of every event; `Name` and `Data` are its own. */
export interface AnyEvent<Name extends string = string, Data = unknown> {
  /** Cursor in the gateway's events; opaque. */
  readonly cursor: string;
  /** Null if an event is not about a single VM. */
  readonly vm: string | null;
  readonly epoch: string | null;
  readonly event: Name;
  readonly data: Data;
  /** The VM's clock; -1 if the host could not read it. */
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
    /** How many; null if not known. */
    readonly missed: number | null;
  }
>;

/** Events of the gateway itself. */
export type OwnEvent =
  | AnyEvent<'vm-changed', Vm>
  | AnyEvent<
      'vm-removed',
      {
        readonly id: string;
        /** Where it was; absent without a fleet. */
        readonly node?: string;
      }
    >
  | AnyEvent<'operation', CommandOperation>
  | GapEvent;

/** Distinguished by `event`. A VM may send other events: treat those as {@link AnyEvent}. */
export type GatewayEvent = QmpEvent | OwnEvent;

/** Events that are kept. */
export type EventHistory = Omit<EventPage, 'events'> & { readonly events: readonly GatewayEvent[] };

/** An event as written by the gateway, with the integers of its type. */
export function gatewayEvent(value: unknown): GatewayEvent {
  const event = value as { data: unknown; event: string };
  event.data = widenIntegers(event.data, integerTable, lookUp(integerTable.events, event.event));
  return event as GatewayEvent;
}
