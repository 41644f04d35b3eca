import { nodeNamePattern } from './subjects.js';

/** The version of the record that this code writes, and the only one it reads. */
const recordVersion = 1;
/** Longest JSON line at the head of a record. */
const longestHead = 16 * 1024;
/** Pieces of one snapshot, at most: with pieces of 384 KiB more than any node has. */
const mostPieces = 1024;
const newline = 0x0a;

/** What a node says of itself and of the snapshot of its VMs. */
export interface NodeRecord {
  readonly node: string;
  /** The start of the gateway that wrote it. */
  readonly run: string;
  /** Of the state directory: the same at every start. */
  readonly identity: string;
  readonly version: string;
  /** The releases of the protocol that it understands. */
  readonly speaks: readonly number[];
  /** The node's own number of the last event that the snapshot has in it. */
  readonly number: number;
  /** Everything after `number` stands in the stream after this place. */
  readonly sequence: number;
  /** It has no snapshot yet: its node has the name, and writes the next record at once. */
  readonly isClaim: boolean;
  /** How many VMs are in the snapshot. */
  readonly vms: number;
  /** Which of the two places the pieces are in: a reader of the snapshot before is not disturbed. */
  readonly slot: 0 | 1;
  /** How many pieces; 0: the snapshot follows the head. */
  readonly pieces: number;
}

/** One VM in a snapshot: the JSON of both of its views as clients get them, without what is the answering node's own. */
export interface SnapshotVm {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly epoch: string | null;
  /** For principals from level `configure` up. */
  readonly full: string;
  /** For those below. */
  readonly reduced: string;
}

/** What another node wrote and this code cannot read. The message says what of it. */
export class RecordFault extends Error {
  override readonly name = 'RecordFault';
}

/** The head of a record, before the bytes of a snapshot that is small enough to stand with it. */
export function encodeNodeRecord(record: NodeRecord, body: Uint8Array = new Uint8Array()): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ v: recordVersion, ...record })}\n`), body]);
}

/**
 * Reads what {@link encodeNodeRecord} made. Members it does not know are left out.
 * @throws RecordFault
 */
export function decodeNodeRecord(bytes: Uint8Array): { readonly record: NodeRecord; readonly body: Uint8Array } {
  const end = bytes.indexOf(newline);
  if (end < 0 || end > longestHead) throw new RecordFault('the record has no head');
  const head = jsonObject(Buffer.from(bytes.subarray(0, end)).toString());
  if (head['v'] !== recordVersion) throw new RecordFault(`the record is of version ${String(head['v'])}`);
  const { speaks, slot } = head;
  const record: NodeRecord = {
    node: textIn(head, 'node'),
    run: textIn(head, 'run'),
    identity: textIn(head, 'identity'),
    version: textIn(head, 'version'),
    speaks: Array.isArray(speaks) ? speaks.filter((each): each is number => typeof each === 'number') : [],
    number: countIn(head, 'number', Number.MAX_SAFE_INTEGER),
    sequence: countIn(head, 'sequence', Number.MAX_SAFE_INTEGER),
    isClaim: head['isClaim'] === true,
    vms: countIn(head, 'vms', Number.MAX_SAFE_INTEGER),
    slot: slot === 1 ? 1 : 0,
    pieces: countIn(head, 'pieces', mostPieces),
  };
  return { record, body: bytes.subarray(end + 1) };
}

/** The text of a snapshot: three lines for each VM. */
export function encodeSnapshot(vms: Iterable<SnapshotVm>): string {
  const lines: string[] = [];
  for (const { id, labels, epoch, full, reduced } of vms)
    lines.push(JSON.stringify({ id, labels, epoch }), full, reduced);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/**
 * Reads what {@link encodeSnapshot} made, from its bytes. Each text is one of its own: none keeps the others in memory.
 * @throws RecordFault
 */
export function* decodeSnapshot(bytes: Buffer): Generator<SnapshotVm> {
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf(newline, at);
    if (end < 0) throw new RecordFault('the snapshot ends within a VM');
    const text = bytes.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  while (at < bytes.length) {
    const head = jsonObject(line());
    const { epoch } = head;
    const id = textIn(head, 'id');
    // VMs are called as nodes may be.
    if (!nodeNamePattern.test(id)) throw new RecordFault('id is none of a VM');
    yield {
      id,
      labels: labelsOf(head['labels']),
      epoch: typeof epoch === 'string' ? epoch : null,
      full: viewOf(id, line()),
      reduced: viewOf(id, line()),
    };
  }
}

/** Whether a text, which is JSON, is the view of this VM: it becomes a row of lists as it is. */
export function isViewOf(id: string, json: string): boolean {
  return json.startsWith(`{"id":"${id}"`);
}

/** @throws RecordFault */
function viewOf(id: string, text: string): string {
  jsonObject(text);
  if (!isViewOf(id, text)) throw new RecordFault(`the view of ${id} is none`);
  return text;
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RecordFault('the head is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordFault('the head is no object');
  return value as Readonly<Record<string, unknown>>;
}

function textIn(head: Readonly<Record<string, unknown>>, name: string): string {
  const value = head[name];
  if (typeof value !== 'string' || value.length === 0 || value.length > 512)
    throw new RecordFault(`${name} is no text`);
  return value;
}

function countIn(head: Readonly<Record<string, unknown>>, name: string, most: number): number {
  const value = head[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most)
    throw new RecordFault(`${name} is no count`);
  return value as number;
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  const labels = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(labels);
}
