import { isUtf8 } from 'node:buffer';
import { nodeNamePattern } from './subjects.js';

/** The header of a message that holds the {@link BatchHead} as JSON. */
export const batchHeaderName = 'Qgw-Batch';
/** The release of the batch format. A reader refuses others: what it does not know it cannot number. */
export const batchVersion = 1;
/** Lines of one batch: a cursor has room for so many places in a message, and one for its end. */
export const mostBatchLines = 4095;
/** Bytes of lines that a sender gathers at most; one longer event makes a batch of its own. */
export const usualBatchBytes = 64 * 1024;
/** Bytes of lines that a reader takes at most. */
export const mostBatchBytes = 8 * 1024 * 1024;
/** Characters of the header at most. */
export const mostHeaderLength = 64 * 1024;

const lineFeed = 0x0a;
const runPattern = /^[A-Za-z0-9]{1,64}$/;
const ownMembers: ReadonlySet<string> = new Set(['v', 'node', 'run', 'first', 'last', 'at']);

/** Who sent a batch, and which of its events are in it. */
export interface BatchHead {
  readonly node: string;
  /** New for each start of the node: letters and digits. */
  readonly run: string;
  /** Numbers of its lines: rising by one over all batches of a run, from 1. `last` is `first - 1` in an empty batch. */
  readonly first: number;
  readonly last: number;
  /** Monotonic milliseconds of the sender. */
  readonly at: number;
  /** Further members of the header, also of later releases. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Events of one node in order, one JSON text each; none in a heartbeat. */
export interface Batch extends BatchHead {
  readonly lines: readonly string[];
}

/** A batch as it is sent. */
export interface EncodedBatch {
  readonly header: string;
  readonly payload: Uint8Array;
}

/** Why a message is no batch. */
export type BatchFault =
  | 'no-header'
  | 'header-too-long'
  | 'header-not-json'
  | 'unknown-version'
  | 'bad-node'
  | 'bad-run'
  | 'bad-numbers'
  | 'bad-clock'
  | 'payload-too-long'
  | 'payload-not-utf8'
  | 'line-count';

/** Tells a batch that is stored already from one that is not: no two batches of a fleet have the same. */
export function batchId({ run, first }: Pick<BatchHead, 'run' | 'first'>): string {
  return `${run}.${first}`;
}

/** The same for an empty batch, which has no numbers of its own. @param beat rises with each of the run */
export function heartbeatId({ run, first }: Pick<BatchHead, 'run' | 'first'>, beat: number): string {
  return `${run}.${first}.${beat}`;
}

/** @throws RangeError for what no reader would take */
export function encodeBatch({ node, run, first, last, at, fields, lines }: Batch): EncodedBatch {
  const header = asciiJson({ ...fields, v: batchVersion, node, run, first, last, at });
  const payload = new TextEncoder().encode(lines.join('\n'));
  const fault = readBatch(header, payload);
  if (typeof fault === 'string') throw new RangeError(`not a batch: ${fault}`);
  return { header, payload };
}

/** @param header undefined where the message has none */
export function readBatch(header: string | undefined, payload: Uint8Array): Batch | BatchFault {
  const head = readHead(header);
  if (typeof head === 'string') return head;
  const lines = readLines(payload);
  if (typeof lines === 'string') return lines;
  return lines.length === head.last - head.first + 1 ? { ...head, lines } : 'line-count';
}

function readHead(header: string | undefined): BatchHead | BatchFault {
  if (header === undefined || header === '') return 'no-header';
  if (header.length > mostHeaderLength) return 'header-too-long';
  const members = parsedObject(header);
  if (members === undefined) return 'header-not-json';
  const { v, node, run, first, last, at } = members;
  if (v !== batchVersion) return 'unknown-version';
  if (typeof node !== 'string' || !nodeNamePattern.test(node)) return 'bad-node';
  if (typeof run !== 'string' || !runPattern.test(run)) return 'bad-run';
  if (!isNumber(first, 1) || !isNumber(last, 0) || last < first - 1 || last - first >= mostBatchLines)
    return 'bad-numbers';
  if (typeof at !== 'number' || !Number.isFinite(at) || at < 0) return 'bad-clock';
  const further = Object.entries(members).filter(([name]) => !ownMembers.has(name));
  return { node, run, first, last, at, fields: Object.fromEntries(further) };
}

/** Each line as a string of its own: parts of one long string would keep all of it, for as long as one event is kept. */
function readLines(payload: Uint8Array): string[] | BatchFault {
  if (payload.length === 0) return [];
  if (payload.length > mostBatchBytes) return 'payload-too-long';
  if (!isUtf8(payload)) return 'payload-not-utf8';
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const lines: string[] = [];
  for (let start = 0; start <= bytes.length;) {
    const at = bytes.indexOf(lineFeed, start);
    const end = at === -1 ? bytes.length : at;
    lines.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return lines;
}

function isNumber(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told by the caller, by name.
  }
  return undefined;
}

/** Headers of NATS are lines of bytes: what is not ASCII travels as JSON's own escapes. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
