import type { MsgRequest, SeqMsgRequest, StoredMsg } from '@nats-io/jetstream';
import { streamNotFound } from '../events/event-stream.js';
import type { FleetLink } from '../fleet-link.js';
import type { ReceivedBatch } from '../fleet-view.js';
import type { BatchArchive } from './feed.js';

/** Reads a stored message as a batch; undefined for one that is none. */
export type StoredBatchReader = (message: StoredMsg) => ReceivedBatch | undefined;

/**
 * Reads single batches out of the stream of events, at its leader, as readers of events do: no consumer that could lose its
 * place.
 */
export class StreamArchive implements BatchArchive {
  constructor(
    private readonly link: FleetLink,
    private readonly read: StoredBatchReader,
  ) {}

  async next(node: string, afterSequence: number): Promise<ReceivedBatch | undefined> {
    const { subjects } = this.link;
    // The client's type does not know the other member, which servers have since 2.9.
    return this.#batch({ seq: afterSequence + 1, next_by_subj: subjects.events(node) } as SeqMsgRequest);
  }

  async last(node: string): Promise<ReceivedBatch | undefined> {
    return this.#batch({ last_by_subj: this.link.subjects.events(node) });
  }

  async #batch(query: MsgRequest): Promise<ReceivedBatch | undefined> {
    const { manager } = await this.link.jetStream();
    const message = await manager.streams.getMessage(this.link.subjects.eventStream, query);
    return message === null ? undefined : this.read(message);
  }
}

/** The newest place of the stream of events; 0 where there is no stream yet. @throws Error when NATS is away */
export async function endOfStream(link: FleetLink): Promise<number> {
  const { manager } = await link.jetStream();
  try {
    return (await manager.streams.info(link.subjects.eventStream)).state.last_seq;
  } catch (error) {
    if ((error as { code?: unknown }).code === streamNotFound) return 0;
    throw error;
  }
}
