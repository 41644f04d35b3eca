import { vmSelectionFields } from '../access/vm-selection.js';
import {
  anyObject,
  choice,
  duration,
  flag,
  list,
  moment,
  nullable,
  text,
  wholeNumber,
} from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import { cursorType } from '../vms/vm-shapes.js';

export const highestLimit = 10_000;

class EventTimestamp {
  @Required(wholeNumber({}))
  seconds!: number;

  @Required(wholeNumber({}))
  microseconds!: number;
}

/** An event as all streams and pages show it. */
@Shape('StreamEvent')
export class StreamEventShape {
  @Required(cursorType)
  cursor!: unknown;

  @Optional(nullable(text()), 'Null in what concerns all VMs')
  vm?: string | null;

  @Optional(nullable(text()), 'The session with the VM')
  epoch?: string | null;

  @Required(text(), "Upper-case: the VM's. Lower-case: the gateway's own")
  event!: string;

  @Optional(anyObject())
  data?: Readonly<Record<string, unknown>>;

  @Optional(shape(() => EventTimestamp), "The VM's clock; -1 where it had none")
  timestamp?: EventTimestamp;

  @Optional(moment(), 'When the gateway received it')
  time?: string;

  @Optional(wholeNumber(), 'How many events this one stands for')
  coalesced?: number;
}

@Shape('EventPage')
export class EventPageShape {
  @Required(list(shape(() => StreamEventShape)))
  events!: StreamEventShape[];

  @Required(cursorType)
  cursor!: unknown;

  @Required(cursorType)
  oldest!: unknown;
}

/** Data of the gateway's own event `gap`: events are missing from a stream. */
@Shape('EventGap')
export class EventGapShape {
  @Required(nullable(text()), 'Null: of all VMs')
  vm!: string | null;

  @Required(cursorType)
  from!: unknown;

  @Required(cursorType)
  to!: unknown;

  @Required(nullable(wholeNumber({})), 'Null where the number is not known')
  missed!: number | null;
}

/** Query of the event streams and pages of one VM. */
export class VmEventSelection {
  @Optional(list(text()), 'Names of events, as globs or comma lists')
  event: string[] | undefined = undefined;

  @Optional(cursorTypeText(), 'Only what comes after this position; `oldest`: all that is kept')
  after: string | undefined = undefined;

  @Optional(duration({ most: '24h' }), 'Without `after`: only what is kept of this time until now')
  since: string | undefined = undefined;

  @Optional(wholeNumber({ least: 1, most: highestLimit, default: 1000 }), 'At most this many events (JSON)')
  limit: number | undefined = undefined;

  @Optional(duration({ most: '120s' }), 'Wait this long for a first event (JSON)')
  wait: string | undefined = undefined;

  @Optional(flag({ default: false }), 'Tell the position at once and every 15 s (NDJSON)')
  bookmarks: boolean | undefined = undefined;

  @Optional(duration({ most: '60s' }), 'Of equal events of a VM within this time, send only the newest (streams)')
  coalesce: string | undefined = undefined;

  @Optional(choice(['node']), '`node`: in a fleet, only the events of this gateway, under its own cursors')
  scope: 'node' | undefined = undefined;

  @Optional(choice(['string']), '`string`: integers beyond ±(2^53-1) become strings')
  int64: 'string' | undefined = undefined;
}

/** Query of event streams and pages of all VMs. */
export class EventSelection extends VmEventSelection {
  @Optional(...vmSelectionFields.vm)
  vm: string[] | undefined = undefined;

  @Optional(...vmSelectionFields.label)
  label: string[] | undefined = undefined;
}

/** What a browser sends by itself when it comes back. */
export class LastEvent {
  @Optional(cursorTypeText(), 'As `after`, which it overrides; EventSource sends it by itself')
  'Last-Event-ID': string | undefined = undefined;
}

function cursorTypeText() {
  return text({ maxLength: 256 });
}
