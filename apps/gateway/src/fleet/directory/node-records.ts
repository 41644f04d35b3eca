import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  decodeNodeRecord,
  decodeSnapshot,
  encodeNodeRecord,
  encodeSnapshot,
  nodeOfToken,
  RecordFault,
  tokenOf,
  type NodeRecord,
  type SnapshotVm,
} from '@qmp-gateway/fleet-protocol';
import type { FleetBucket } from '../fleet-bucket.js';

const compress = promisify(gzip);
const decompress = promisify(gunzip);
/** A snapshot up to here stands with its head: one read for most nodes. */
const inlineBytes = 128 * 1024;
/** Under NATS's usual limit of a message, 1 MiB, and small enough that others have their turn on the connection. */
const pieceBytes = 384 * 1024;
/** Of a snapshot that is unpacked: whatever somebody packed, this node's memory is bounded. */
const mostBytes = 256 * 1024 * 1024;
/** Reads of a bucket that are under way at once. */
const atOnce = 64;

/** The record of a node with its VMs, as it was read. */
export interface NodeSnapshot {
  readonly record: NodeRecord;
  readonly revision: number;
  /** When it was stored, milliseconds since 1970, by the server's clock. */
  readonly stored: number;
  readonly vms: Iterable<SnapshotVm>;
}

/** What a node writes about itself, but for how that is stored. */
export type NodeFacts = Omit<NodeRecord, 'slot' | 'pieces' | 'vms'>;

/** A record that is ready to be written: its pieces are there, and nobody reads them before the head names them. */
export interface PreparedRecord {
  readonly head: Uint8Array;
  readonly slot: 0 | 1;
}

/**
 * The records of nodes in their bucket: one head under the name of each node, and behind it the pieces of a snapshot
 * that is too large to stand with it. Pieces lie in two places in turn, so that whoever reads a head has the time of
 * one whole snapshot to read its pieces; the checksum of the packed text finds out who was slower still.
 */
export class NodeRecords {
  constructor(private readonly bucket: FleetBucket) {}

  /** The head alone. @throws RecordFault for what this release cannot read; Error when NATS is away */
  async head(node: string): Promise<{ readonly record: NodeRecord; readonly revision: number } | undefined> {
    const entry = await this.bucket.get(tokenOf(node));
    return entry && { record: decodeNodeRecord(entry.value).record, revision: entry.revision };
  }

  /** @returns undefined where there is no record @throws RecordFault; Error when NATS is away */
  async read(node: string): Promise<NodeSnapshot | undefined> {
    const entry = await this.bucket.get(tokenOf(node));
    if (entry === undefined) return undefined;
    const { record, body } = decodeNodeRecord(entry.value);
    const packed = record.pieces === 0 ? body : await this.#pieces(record);
    const bytes = packed.length === 0 ? Buffer.alloc(0) : await unpacked(packed);
    return { record, revision: entry.revision, stored: entry.stored, vms: decodeSnapshot(bytes) };
  }

  /** Writes the pieces of a snapshot to the place that the record now there does not use. */
  async prepare(facts: NodeFacts, vms: readonly SnapshotVm[], slot: 0 | 1): Promise<PreparedRecord> {
    const text = encodeSnapshot(vms);
    const packed = text === '' ? Buffer.alloc(0) : await compress(text, { level: 1 });
    const fits = packed.length <= inlineBytes;
    const pieces = fits ? 0 : Math.ceil(packed.length / pieceBytes);
    for (let at = 0; at < pieces; at++)
      await this.bucket.put(pieceKey(facts.node, slot, at), packed.subarray(at * pieceBytes, (at + 1) * pieceBytes));
    const record: NodeRecord = { ...facts, vms: vms.length, slot, pieces };
    return { head: encodeNodeRecord(record, fits ? packed : undefined), slot };
  }

  /** Writes the head where nothing is. @returns the revision, or undefined when something is */
  create(node: string, { head }: PreparedRecord): Promise<number | undefined> {
    return this.bucket.create(tokenOf(node), head);
  }

  /** Writes the head in place of one revision. @returns undefined when another one is there */
  update(node: string, { head }: PreparedRecord, revision: number): Promise<number | undefined> {
    return this.bucket.update(tokenOf(node), head, revision);
  }

  /** Removes the record, if it is of this revision or in any case. @returns false when it is of another one */
  async remove(node: string, revision?: number): Promise<boolean> {
    if (!(await this.bucket.remove(tokenOf(node), revision))) return false;
    const { keys } = await this.bucket.keys('>');
    const pieces = keys.filter((key) => key.startsWith(`${tokenOf(node)}.`));
    await eachAtOnce(pieces, async (key) => {
      await this.bucket.remove(key);
    });
    return true;
  }

  /** The nodes that have, or have had, a record. */
  async names(): Promise<readonly string[]> {
    const { keys } = await this.bucket.keys('*');
    return keys.map(nodeOfToken);
  }

  async #pieces({ node, slot, pieces }: NodeRecord): Promise<Buffer> {
    const read = new Array<Uint8Array>(pieces);
    await eachAtOnce(Array.from(read.keys()), async (at) => {
      const entry = await this.bucket.get(pieceKey(node, slot, at));
      if (entry === undefined) throw new RecordFault(`piece ${at} of ${pieces} is missing`);
      read[at] = entry.value;
    });
    return Buffer.concat(read);
  }
}

/** Runs work for each, 64 at once. @throws what the first that failed threw; the others begin nothing new then */
export async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      try {
        await work(items[next++] as T);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

async function unpacked(packed: Uint8Array): Promise<Buffer> {
  try {
    return await decompress(packed, { maxOutputLength: mostBytes });
  } catch (error) {
    throw new RecordFault(`the snapshot cannot be unpacked: ${(error as Error).message}`);
  }
}

function pieceKey(node: string, slot: number, at: number): string {
  return `${tokenOf(node)}.${slot}.${at}`;
}
