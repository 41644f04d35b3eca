import type { Batch } from '@qmp-gateway/fleet-protocol';
import { BoundedMap } from '../../bounds/bounded-map.js';

/** Nodes whose numbers are known. */
const nodesBound = 20_000;

/** What a node has said, as far as it was read. */
interface Known {
  readonly run: string;
  /** The number of the last event that was read. */
  readonly last: number;
  /** The place in the stream of the batch that said so. */
  readonly sequence: number;
  /** The run before, of which something may come late. */
  readonly before: { readonly run: string; readonly last: number } | undefined;
}

/** A batch, and what it shows about those before it. */
export interface Numbered {
  /** Without what was read before. */
  readonly batch: Batch;
  /** Events of the node that should have been read before it and were not; 0 is as it should be. */
  readonly missed: number;
}

/**
 * The numbers that nodes give their events, one after the other in each run: what is read twice is taken out, and what
 * is left out is found, whatever the stream does. Of a node that was never read nothing can be missed.
 */
export class NodeNumbers {
  readonly #nodes = new BoundedMap<string, Known>(nodesBound);
  #toldUpTo = 0;

  /** Everything is of another stream, or of another part of it, from now on. */
  forget(): void {
    this.#nodes.clear();
    this.#toldUpTo = 0;
  }

  /** Something up to this place was told to be missing: of which nodes nobody knows, and it is not found once more. */
  told(sequence: number): void {
    this.#toldUpTo = Math.max(this.#toldUpTo, sequence);
  }

  /** The next batch in the order of the stream. */
  take(sequence: number, batch: Batch): Numbered {
    const { node, run, first, last } = batch;
    const known = this.#nodes.get(node);
    if (known?.before?.run === run) return this.#late(known, known.before.last, batch);
    const read = known === undefined ? first - 1 : known.run === run ? known.last : 0;
    const wasTold = known !== undefined && known.sequence < this.#toldUpTo;
    const before = known === undefined || known.run === run ? known?.before : { run: known.run, last: known.last };
    this.#nodes.set(node, { run, last: Math.max(read, last), sequence, before });
    return { batch: withoutRead(batch, read), missed: wasTold ? 0 : Math.max(0, first - 1 - read) };
  }

  /** Of the run before: a server that stood still may pass it on. The run that is there goes on. */
  #late(known: Known, read: number, batch: Batch): Numbered {
    const { node, run, first, last } = batch;
    this.#nodes.set(node, { ...known, before: { run, last: Math.max(read, last) } });
    return { batch: withoutRead(batch, read), missed: Math.max(0, first - 1 - read) };
  }
}

function withoutRead(batch: Batch, read: number): Batch {
  const { first, last, lines } = batch;
  if (lines.length === 0 || first > read) return batch;
  if (last <= read) return { ...batch, first: read + 1, last: read, lines: [] };
  return { ...batch, first: read + 1, lines: lines.slice(read + 1 - first) };
}
