import type { Msg } from '@nats-io/transport-node';
import { batchHeaderName, readBatch, RecordFault } from '@qmp-gateway/fleet-protocol';
import type { Clock } from '@qmp-gateway/qmp';
import type { FleetLink } from '../fleet-link.js';
import type { NodeFacts, NodeRecords } from './node-records.js';

const lookMs = 50;

/** What a claim needs. */
export interface ClaimParts {
  readonly link: FleetLink;
  readonly records: NodeRecords;
  /** Of the state directory, the same at every start. */
  readonly identity: string;
  readonly version: string;
  readonly clock: Clock;
}

export type Claimed =
  { readonly kind: 'had'; readonly revision: number } | { readonly kind: 'name-taken' | 'foreign-record' };

/**
 * Claims the name of this node: whoever wrote the record under a name last has it. Nothing here trusts a clock of
 * another machine, and every write names the revision it replaces, so of two claims at once one fails.
 *
 * A record that is there is replaced in two cases. It is of the same state directory: then this is the same node after
 * a restart, and the run before is over, or was meant to be; a run that is replaced so (of a copy of the directory)
 * finds that out at its next look, stops, and never takes the name back by this rule, so that two copies do not take
 * turns. Or nobody was heard under the name for `unreachableAfter`: then its holder is gone for everyone; should it be
 * only cut off, it finds another run in its place when it is back. Until it has looked, both may be there for a moment:
 * commands name the run that they are for, so only one of the two runs any.
 */
export class NameClaim {
  #lost = false;

  constructor(private readonly parts: ClaimParts) {}

  /** The name was taken from this run: from now on only a name that nobody uses is claimed. */
  lose(): void {
    this.#lost = true;
  }

  /** What the record says whatever the VMs do. */
  facts(version: string): Omit<NodeFacts, 'number' | 'sequence' | 'isClaim'> {
    const { link, identity } = this.parts;
    return { node: link.node, run: link.run, identity, version, speaks: [1] };
  }

  /**
   * One attempt; it takes up to `unreachableAfter`.
   * @param ended asked while it waits
   * @throws Error when NATS is away
   */
  async attempt(ended: () => boolean): Promise<Claimed> {
    const { link, records, identity, version } = this.parts;
    // Without VMs, so that nothing but the head is written before the name is had.
    const empty = await records.prepare({ ...this.facts(version), number: 0, sequence: 0, isClaim: true }, [], 0);
    try {
      const head = await records.head(link.node);
      if (head === undefined) {
        const revision = await records.create(link.node, empty);
        return revision === undefined ? { kind: 'name-taken' } : { kind: 'had', revision };
      }
      const { record, revision } = head;
      if (record.run === link.run) return { kind: 'had', revision };
      const isOwn = record.identity === identity && !this.#lost;
      if (!isOwn && (await this.#isHeard(revision, ended))) return { kind: 'name-taken' };
      const replaced = await records.update(link.node, empty, revision);
      return replaced === undefined ? { kind: 'name-taken' } : { kind: 'had', revision: replaced };
    } catch (error) {
      if (error instanceof RecordFault) return { kind: 'foreign-record' };
      throw error;
    }
  }

  /** Whether anything of another run comes under the name, or its record changes, within `unreachableAfter`. */
  async #isHeard(revision: number, ended: () => boolean): Promise<boolean> {
    const { link, records, clock } = this.parts;
    const { subjects, settings, node } = link;
    const heard = { anything: false };
    const subscription = link.connection.subscribe(subjects.events(node), {
      // This run's own go out while it claims.
      callback: (_, message) => {
        if (runOf(message) !== link.run) heard.anything = true;
      },
    });
    try {
      const until = clock.now() + settings.unreachableAfter;
      // Cut off in between, nothing could be heard: silence proves something only on a connection.
      while (clock.now() < until && link.connected && !heard.anything && !ended())
        await new Promise<void>((resolve) => void clock.schedule(lookMs, resolve));
      if (heard.anything || ended() || !link.connected) return true;
      const head = await records.head(node);
      return head !== undefined && head.revision !== revision;
    } finally {
      subscription.unsubscribe();
    }
  }
}

/** Undefined for what is no batch. */
function runOf({ headers, data }: Msg): string | undefined {
  const batch = readBatch(headers?.get(batchHeaderName), data);
  return typeof batch === 'string' ? undefined : batch.run;
}
