import { isEventName, shownText } from '@qmp-gateway/qmp';
import type { VmIdentity } from '../access/principal.js';
import { BoundedMap } from '../bounds/bounded-map.js';
import { formatCursor } from './cursor.js';

/** The origin of an event as it was at that moment: the VM's labels and session may change later. */
export interface SourceSnapshot extends VmIdentity {
  readonly epoch: string | null;
  /** The members `vm` and `epoch` as JSON. */
  readonly json: string;
  /** The same for the same labels. */
  readonly labelsKey: string;
}

export function snapshotOf(vm: VmIdentity & { readonly epoch: string | null }): SourceSnapshot {
  const { id, labels, epoch } = vm;
  const json = `"vm":${JSON.stringify(id)},"epoch":${JSON.stringify(epoch)}`;
  return { id, labels, epoch, json, labelsKey: JSON.stringify(labels) };
}

/** Stands for the gateway itself, where an event is about no VM. */
export const gatewaySource: SourceSnapshot = {
  id: '',
  labels: {},
  epoch: null,
  json: '"vm":null,"epoch":null',
  labelsKey: '{}',
};

/** Stands for all VMs if something is missing and it is not known of which: everybody is told. */
export const anySource: SourceSnapshot = { id: '', labels: {}, epoch: null, json: gatewaySource.json, labelsKey: '{}' };

/** One event as it is kept: JSON parts as they came, put together only when somebody wants them. */
export interface EventRecord {
  readonly n: number;
  /** Id of the VM; empty when it is about none. */
  readonly vm: string;
  readonly source: SourceSnapshot;
  readonly name: string;
  readonly data: string;
  /** `data` for principals below level `configure`, where that differs. */
  readonly reducedData: string | undefined;
  /** Id of the one principal it is for (level `host` sees it too); undefined: all who see the VM. */
  readonly only: string | undefined;
  /** Who wants events of this source too is not told: for them the VM did not leave. */
  readonly successor?: SourceSnapshot | undefined;
  readonly timestamp: string;
  /** Wall-clock milliseconds. */
  readonly receivedAt: number;
  /** What it counts towards a bound. */
  readonly bytes: number;
  /** It came and is not kept: in its place there is a gap. */
  readonly leftOut?: true | undefined;
  /** It stands for this many events of the VM that the fleet never received; null: the number is not known. */
  readonly missed?: number | null | undefined;
}

/** An event as it comes, before it is numbered and weighed. */
export type EventParts = Omit<EventRecord, 'n' | 'vm' | 'bytes' | 'reducedData' | 'only'> & {
  readonly reducedData?: string | undefined;
  readonly only?: string | undefined;
};

export function eventRecord(n: number, parts: EventParts): EventRecord {
  const { source, name, data, timestamp, receivedAt, reducedData, only, successor, leftOut, missed } = parts;
  const bytes = recordOverhead + name.length + data.length + timestamp.length + (reducedData?.length ?? 0);
  // One literal: this is made for every event there is.
  return {
    n,
    vm: source.id,
    source,
    name,
    data,
    reducedData,
    only,
    successor,
    timestamp,
    receivedAt,
    bytes,
    leftOut,
    missed,
  };
}

/**
 * An event's name as streams have it. What a VM names in another way than QAPI does would be taken for an event of the
 * gateway's own, or for none at all: it gets a prefix that no name of either has, and nothing a terminal would obey.
 */
export function publishedName(name: string): string {
  return isEventName(name) ? name : `x-vm:${shownText(name)}`;
}

/** Events were, or may have been, missed: of `vm` (null: of any), after `from`, up to and with number `n`. */
export interface Gap {
  readonly n: number;
  readonly vm: string | null;
  readonly from: string;
  /** Exact for events dropped for this subscriber; null if it is not known. */
  readonly missed: number | null;
}

/** Bytes an event takes beside its own text: the record, its place in a queue, string headers. */
export const recordOverhead = 200;

/** `{"cursor":…,"vm":…,"epoch":…,"event":…,"data":…,"timestamp":…,"time":…}`. */
export function renderEvent(run: string, event: EventRecord, reduced: boolean, coalesced?: number): string {
  const missed = event.leftOut === true ? 1 : event.missed;
  if (missed !== undefined) {
    const vm = event.vm === '' ? null : event.vm;
    const gap = { n: event.n, vm, from: formatCursor(run, event.n - 1), missed };
    return renderGap(run, gap, event.receivedAt);
  }
  const data = reduced && event.reducedData !== undefined ? event.reducedData : event.data;
  const fold = coalesced === undefined ? '' : `,"coalesced":${coalesced}`;
  return `{"cursor":"${formatCursor(run, event.n)}",${event.source.json},"event":${quoteName(event.name)},"data":${data},"timestamp":${event.timestamp},"time":"${isoTime(event.receivedAt)}"${fold}}`;
}

export function renderGap(run: string, gap: Gap, wallMs: number): string {
  const vm = JSON.stringify(gap.vm);
  const to = formatCursor(run, gap.n);
  const data = `{"vm":${vm},"from":${JSON.stringify(gap.from)},"to":"${to}","missed":${String(gap.missed)}}`;
  return `{"cursor":"${to}","vm":${vm},"epoch":null,"event":"gap","data":${data},"timestamp":${timestampOf(wallMs)},"time":"${isoTime(wallMs)}"}`;
}

export function renderBookmark(cursor: string, wallMs: number): string {
  return `{"cursor":"${cursor}","vm":null,"epoch":null,"event":"bookmark","data":{},"timestamp":${timestampOf(wallMs)},"time":"${isoTime(wallMs)}"}`;
}

/** Wall-clock milliseconds in QEMU's form of a timestamp. */
export function timestampOf(wallMs: number): string {
  const seconds = Math.floor(wallMs / 1000);
  return `{"seconds":${seconds},"microseconds":${Math.round((wallMs - seconds * 1000) * 1000)}}`;
}

/** QEMU has about 70 event names; a peer that invents more costs no more memory than this. */
const quotedNamesBound = 1000;
const quotedNames = new BoundedMap<string, string>(quotedNamesBound);

function quoteName(name: string): string {
  let quoted = quotedNames.get(name);
  if (quoted === undefined) {
    quoted = JSON.stringify(name);
    quotedNames.set(name, quoted);
  }
  return quoted;
}

let lastTime = NaN;
let lastIso = '';

/** In a flood many events share a millisecond. */
function isoTime(wallMs: number): string {
  if (wallMs !== lastTime) {
    lastTime = wallMs;
    lastIso = new Date(wallMs).toISOString();
  }
  return lastIso;
}

/** JSON on one line: line breaks can only stand between tokens, where a space does as well. */
export function onOneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]+/g, ' ') : json;
}
