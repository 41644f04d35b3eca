import type { Clock } from '@qmp-gateway/qmp';
import type { NodeSight, ReceivedBatch } from '../fleet-view.js';
import type { DirectoryVm } from './directory-vm.js';
import { type VmOwner } from './directory-vm.js';
import { RemoteClock } from './remote-clock.js';

/** Batches that wait while the snapshot of their node is read, at most; beyond that it is read again afterwards. */
export const mostWaiting = 1000;

/** What this node knows of another one: where it is in that one's events, and its VMs there. */
export class NodeEntry implements NodeSight, VmOwner {
  readonly vms = new Map<string, DirectoryVm>();
  run = '';
  version = '';
  speaks: readonly number[] = [];
  /** The node's own number of the last event that is in the VMs. */
  number = 0;
  /** The place in the stream up to which its events are in the VMs. */
  sequence = 0;
  /** Of the record that was read last; 0 before. */
  revision = 0;
  /** Something of it was missed, and no snapshot was had since. */
  stale = true;
  /** Events before `number` are not in the VMs: only a snapshot has what they said. */
  skipped = false;
  /** While its snapshot is read: what came meanwhile. */
  waiting: ReceivedBatch[] | undefined;
  /** Its record is to be read once more when it was read. */
  again = false;
  /** What made the record to be read. */
  readonly early: ReceivedBatch[] = [];
  reachable = true;
  silentSince = 0;
  readonly #remoteClock = new RemoteClock();
  #heardAt: number;
  #clockRun = '';
  /** Milliseconds since 1970. */
  heard: number;

  /** @param stored when its record was, milliseconds since 1970: what is known of when it was there */
  constructor(
    readonly node: string,
    private readonly ownClock: Clock,
    stored: number,
  ) {
    this.heard = stored;
    // It was not heard yet, and has the usual time to be.
    this.#heardAt = ownClock.now();
  }

  /** Milliseconds since it was heard, or since this node began to listen. */
  get silentMs(): number {
    return this.ownClock.now() - this.#heardAt;
  }

  /** Whether the run that was heard last is the one that the VMs are of. */
  get isHeardAsKnown(): boolean {
    return this.#clockRun === this.run;
  }

  clock(): number | undefined {
    return this.isHeardAsKnown ? this.#remoteClock.read(this.ownClock.now()) : undefined;
  }

  /** A batch came as it was sent. */
  hear(sentAt: number, run: string): void {
    if (run !== this.#clockRun) this.#remoteClock.forget();
    this.#clockRun = run;
    this.#heardAt = this.ownClock.now();
    this.heard = this.ownClock.wall();
    this.#remoteClock.heard(sentAt, this.#heardAt);
  }
}
