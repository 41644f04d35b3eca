import { asObject, parsedJson } from '@qmp-gateway/qmp';
import { BoundedMap } from '../../bounds/bounded-map.js';
import {
  anySource,
  gatewaySource,
  onOneLine,
  eventRecord,
  snapshotOf,
  type EventParts,
  type EventRecord,
  type SourceSnapshot,
} from '../../events/event-record.js';

/** Why a line is no event. */
export type LineFault = 'no-sizes' | 'wrong-sizes' | 'not-json' | 'bad-source' | 'bad-event' | 'bad-time';

/** VMs of the fleet whose sources are made once and not for each event. */
const sourcesBound = 20_000;
const longestId = 128;
const longestEpoch = 128;
const longestName = 512;
/** What a date can hold. */
const latestMoment = 8.64e15;
const sizesForm = /^\{"sizes":\[(\d{1,8}),(\d{1,8}),(\d{1,8}),(\d{1,8})\],/;

/**
 * An event as one line of JSON. First come `vm`, `epoch` and `labels`, last `timestamp`, `reduced` (where there is one) and
 * `data`, byte for byte as they came from QEMU. `sizes` says how many characters the source, these three, have, so that
 * a reader cuts them out as they are.
 */
export function eventLine(event: EventRecord): string {
  const { source, vm, name, timestamp, reducedData, data, receivedAt, only, successor, leftOut, missed } = event;
  const of = vm === '' ? noVm : `${source.json},"labels":${source.labelsKey}`;
  const sizes = `[${of.length},${timestamp.length},${reducedData?.length ?? 0},${data.length}]`;
  const more =
    only === undefined && successor === undefined && leftOut === undefined && missed === undefined ? '' : moreOf(event);
  const reduced = reducedData === undefined ? '' : `,"reduced":${reducedData}`;
  return `{"sizes":${sizes},${of},"event":${JSON.stringify(name)},"received":${receivedAt}${more},"timestamp":${timestamp}${reduced},"data":${data}}`;
}

const noVm = '"vm":null,"epoch":null,"labels":{}';

function moreOf({ only, leftOut, missed, successor }: EventRecord): string {
  const of = successor === undefined ? undefined : { id: successor.id, labels: successor.labels };
  const text = JSON.stringify({ only, leftOut, missed, successor: of });
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}

/** What is told of an event that the fleet never had: not what it was. */
export type MissedEvent = Pick<EventRecord, 'n' | 'source' | 'timestamp' | 'receivedAt'>;

/** The line that stands for so many events of a VM, of which this is the last. */
export function gapLine({ n, source, timestamp, receivedAt }: MissedEvent, missed: number): string {
  return eventLine(eventRecord(n, { source, name: 'gap', data: '{}', timestamp, receivedAt, missed }));
}

/** Reads lines that other nodes wrote. Events of one VM in one session and with the same labels have the same source. */
export class EventLineReader {
  readonly #sources = new BoundedMap<string, SourceSnapshot>(sourcesBound);

  read(line: string): EventParts | LineFault {
    const match = sizesForm.exec(line);
    if (match === null) return 'no-sizes';
    const cut = cutLine(line, match[0].length, match.slice(1).map(Number));
    if (cut === undefined) return 'wrong-sizes';
    const { timestamp, reducedData, data } = cut;
    const head = asObject(parsedJson(`{${cut.head}}`));
    if (head === undefined || !isJson(timestamp) || !isJson(data)) return 'not-json';
    if (reducedData !== undefined && !isJson(reducedData)) return 'not-json';
    const source = this.#source(cut.source, head);
    const successor = head['successor'] === undefined ? undefined : successorOf(head['successor']);
    if (source === undefined || successor === null) return 'bad-source';
    const { event: name, received, only, leftOut, missed } = head;
    if (typeof name !== 'string' || name === '' || name.length > longestName) return 'bad-event';
    if (only !== undefined && typeof only !== 'string') return 'bad-event';
    if (leftOut !== undefined && leftOut !== true) return 'bad-event';
    if (missed !== undefined && missed !== null && !isCount(missed)) return 'bad-event';
    if (typeof received !== 'number' || !(received >= 0 && received <= latestMoment)) return 'bad-time';
    return {
      source,
      name,
      data: onOneLine(data),
      timestamp: onOneLine(timestamp),
      receivedAt: received,
      reducedData: reducedData === undefined ? undefined : onOneLine(reducedData),
      only,
      leftOut,
      missed,
      successor,
    };
  }

  #source(text: string, { missed }: Record<string, unknown>): SourceSnapshot | undefined {
    if (text === noVm) return missed === undefined ? gatewaySource : anySource;
    const known = this.#sources.get(text);
    if (known !== undefined) return known;
    const { vm, epoch, labels } = asObject(parsedJson(`{${text}}`)) ?? {};
    if (!isId(vm) || !isEpoch(epoch) || !isLabels(labels)) return undefined;
    const source = snapshotOf({ id: vm, epoch, labels });
    // A copy: the text is a part of its line, and would keep all of it.
    this.#sources.set(Buffer.from(text).toString(), source);
    return source;
  }
}

interface CutLine {
  readonly source: string;
  readonly head: string;
  readonly timestamp: string;
  readonly reducedData: string | undefined;
  readonly data: string;
}

/** @param start of the source */
function cutLine(line: string, start: number, sizes: readonly number[]): CutLine | undefined {
  const [sourceSize = 0, timestampSize = 0, reducedSize = 0, dataSize = 0] = sizes;
  let end = line.length - 1;
  if (line[end] !== '}') return undefined;
  /** Cuts the last member off. */
  const cut = (name: string, size: number): string | undefined => {
    const from = end - size;
    const mark = `,"${name}":`;
    if (from < mark.length || !line.startsWith(mark, from - mark.length)) return undefined;
    const text = line.slice(from, end);
    end = from - mark.length;
    return text;
  };
  const data = cut('data', dataSize);
  const reducedData = reducedSize === 0 ? undefined : cut('reduced', reducedSize);
  const timestamp = cut('timestamp', timestampSize);
  const middle = start + sourceSize;
  if (data === undefined || timestamp === undefined || (reducedSize > 0 && reducedData === undefined)) return undefined;
  if (middle >= end || line[middle] !== ',') return undefined;
  return { source: line.slice(start, middle), head: line.slice(middle + 1, end), timestamp, reducedData, data };
}

function successorOf(value: unknown): SourceSnapshot | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, labels } = value as Record<string, unknown>;
  return isId(id) && isLabels(labels) ? snapshotOf({ id, labels, epoch: null }) : null;
}

function isJson(text: string): boolean {
  if (text === '{}') return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestId;
}

function isEpoch(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && value.length <= longestEpoch);
}

function isLabels(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((label) => typeof label === 'string')
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
