import type { CompletionKind } from '@qmp-gateway/catalog';
import {
  asText,
  returnedList,
  returnedObject,
  serverBounds,
  TokenBucket,
  wholeText,
  type Clock,
  type Settlement,
  type PeerObject,
} from '@qmp-gateway/qmp';
import type { Vm } from '../vms/vm.js';
import type { WorkingOperation } from './operation.js';

/**
 * Jobs taken up that nobody started through the gateway; beyond, the VM's word that yet another began is left at that. Each is
 * written to disk, told to streams and asked for.
 */
const foreignJobs = { perSecond: 4, burst: 256 };

export type ForeignKind = Extract<CompletionKind, 'job' | 'migration' | 'arrival'>;

/** Who follows what was found. */
export interface ForeignFollower {
  /** Work of this VM that goes on. */
  readonly running: readonly WorkingOperation[];
  followForeign(vm: Vm, completion: ForeignKind, subject: string): void;
}

/** Finds jobs and migrations of one VM that nobody started through the gateway. */
export class ForeignWork {
  readonly #turns: TokenBucket;

  constructor(
    private readonly follower: ForeignFollower,
    private readonly clock: Clock,
  ) {
    this.#turns = new TokenBucket(foreignJobs, clock.now());
  }

  /** A job that begins belongs to the command that was written and has no reply yet, or to nobody. */
  event(vm: Vm, event: string, data: PeerObject): void {
    if (event === 'MIGRATION') this.#migration(vm, data);
    const id = wholeText(asText(data['id']), serverBounds.id);
    if (event !== 'JOB_STATUS_CHANGE' || data['status'] !== 'created' || id === undefined) return;
    const jobs = this.follower.running.filter(({ isSent, work }) => isSent && work.completion === 'job');
    if (jobs.some(({ work }) => work.subject === id)) return;
    // Without an id of its own a job has that of its drive, whichever way that was named.
    const nameless = jobs.find(({ isAnswered, work }) => !isAnswered && work.job === null);
    if (nameless !== undefined) nameless.work.name(id);
    else this.#follow(vm, 'job', id);
  }

  /** Reads `query-jobs`: what was there before this session. */
  jobs(vm: Vm, settlement: Settlement): void {
    for (const { id, status } of returnedList(settlement) ?? []) {
      const job = wholeText(asText(id), serverBounds.id);
      if (job === undefined || status === 'concluded' || status === 'null') continue;
      const isKnown = this.follower.running.some(({ work }) => work.completion === 'job' && work.subject === job);
      if (!isKnown) this.#follow(vm, 'job', job);
    }
  }

  /** Reads `query-migrate`. */
  migration(vm: Vm, settlement: Settlement): void {
    this.#migration(vm, returnedObject(settlement) ?? {});
  }

  /** One that is under way without a command that we know of: in one direction or the other. */
  #migration(vm: Vm, { status }: PeerObject): void {
    // What is only prepared may never begin, and has no command to end it.
    if (status !== 'active' && status !== 'postcopy-active') return;
    const isKnown = ({ work }: WorkingOperation) => work.completion === 'migration' || work.completion === 'arrival';
    if (!this.follower.running.some(isKnown))
      this.#follow(vm, vm.runState === 'inmigrate' ? 'arrival' : 'migration', '');
  }

  #follow(vm: Vm, completion: ForeignKind, subject: string): void {
    if (this.#turns.tryTake(this.clock.now())) this.follower.followForeign(vm, completion, subject);
    else vm.anomaly('jobs-left-out', 'jobs that nobody started through the gateway begin too fast to be followed');
  }
}
