import { ownBytes } from '@qmp-gateway/qmp';
import type { Level } from '../access/principal.js';
import type { Problem } from '../problems/problem.js';
import type { GivenDescriptor } from '../vms/passed-descriptors.js';
import {
  IllegalOperationTransitionError,
  operationTransitions,
  type OperationEnd,
  type OperationState,
  type ShownState,
} from './operation-state.js';
import type { Verdict, Work } from './work.js';

/** Up to here a buffer costs more than its bytes. */
const smallBytes = 4096;

/** An operation whose work goes on after the reply. */
export type WorkingOperation = Operation & { readonly work: Work };

/** What is known of an operation at its beginning. */
export interface BegunOperation {
  readonly id: string;
  readonly vm: string;
  /** Null for a job or a migration that was started past the gateway. */
  readonly command: string | null;
  /** Who started it; null when nobody did through the gateway. */
  readonly principalId: string | null;
  /** The level it was begun with; what a command returned is for whoever has it still. */
  readonly level: Level;
  /** Wall-clock milliseconds. */
  readonly started: number;
}

/** Whoever waits for one operation. */
export interface OperationWatcher {
  /** Its command was answered, and its work goes on. */
  replied(): void;
  /** How far its work is was asked just now. */
  measured(): void;
  /** It has ended, or the gateway keeps nobody waiting any longer. */
  over(): void;
}

/**
 * What became of one command, and of the work that it began: the command from its acceptance to its reply, the work (a
 * job, a migration, what a guest does) to its end. Most commands have no work; theirs is a flat object.
 */
export class Operation {
  readonly id: string;
  readonly vm: string;
  readonly command: string | null;
  readonly principalId: string | null;
  readonly level: Level;
  readonly started: number;
  /** The session its command was written in; null before. */
  epoch: string | null = null;
  /** Wall-clock milliseconds of the end; 0 before. */
  ended = 0;
  /** A return value as its bytes, or (small ones) each byte as a character. */
  result: Buffer | string | null = null;
  /** Why it did not end well. */
  problem: Problem | null = null;
  /** What goes on after the reply; null for the many commands that are done with it. */
  work: Work | null = null;
  /** What it passed to the VM, and what became of it since; null for the many commands that pass nothing. */
  descriptors: readonly GivenDescriptor[] | null = null;
  #state: OperationState;
  #watchers: Set<OperationWatcher> | null = null;

  constructor(begun: BegunOperation, state: OperationState = 'accepted') {
    this.id = begun.id;
    this.vm = begun.vm;
    this.command = begun.command;
    this.principalId = begun.principalId;
    this.level = begun.level;
    this.started = begun.started;
    this.#state = state;
  }

  get state(): OperationState {
    return this.#state;
  }

  get over(): boolean {
    switch (this.#state) {
      case 'done':
      case 'failed':
      case 'cancelled':
      case 'lost':
      case 'dropped':
        return true;
      default:
        return false;
    }
  }

  /** Its command is on its way to the VM: what happens from now on may be its doing. */
  get isSent(): boolean {
    return this.#state !== 'accepted' && this.#state !== 'queued';
  }

  /** The VM answered its command, or will not any more. Until then the command may still be refused. */
  get isAnswered(): boolean {
    return this.#state !== 'sent' && this.isSent;
  }

  get shownState(): ShownState {
    switch (this.#state) {
      case 'done':
      case 'failed':
      case 'cancelled':
      case 'lost':
        return this.#state;
      default:
        return this.work?.isReady === true ? 'ready' : 'running';
    }
  }

  /** The session that its outcome is looked for in: of the VM whose work it is. */
  get session(): string | null {
    return this.work === null ? this.epoch : this.work.epoch;
  }

  get path(): string {
    return `/v1/vms/${this.vm}/operations/${this.id}`;
  }

  /** The return value as QEMU wrote it; null for a command that was not done. */
  get returned(): string | null {
    const { result } = this;
    return typeof result === 'string' ? Buffer.from(result, 'latin1').toString() : (result?.toString() ?? null);
  }

  queued(): void {
    this.#become('queued');
  }

  /** The next moment it is the VM's. */
  sent(epoch: string | null): void {
    this.epoch = epoch;
    // Its work may have been given up while it waited.
    if (!this.over) this.#become('sent');
  }

  /** Its work goes on, with the value that its command returned. */
  goesOn(value: Buffer | null): void {
    if (value !== null) {
      this.#become('replied');
      this.result = keptValue(value);
    }
    this.#become('working');
    if (this.#watchers !== null) for (const watcher of [...this.#watchers]) watcher.replied();
  }

  /** @param now wall-clock milliseconds */
  end(state: OperationEnd, now: number, value: Buffer | null, problem: Problem | null): void {
    if (value !== null) {
      this.#become('replied');
      this.result = keptValue(value);
    }
    this.#become(state);
    this.ended = now;
    this.problem = problem;
    this.release();
  }

  /** Its work has ended. */
  conclude(verdict: Verdict, now: number): void {
    this.work?.conclude(verdict.state);
    this.end(verdict.state, now, null, verdict.state === 'done' ? null : verdict.problem);
  }

  /** Its answer told everything. */
  drop(): void {
    this.#become('dropped');
    this.release();
  }

  /** Takes up what an earlier run of the gateway knew. */
  restore(known: { readonly ended: number; readonly value: Buffer | null; readonly problem: Problem | null }): void {
    this.ended = known.ended;
    this.result = known.value === null ? null : keptValue(known.value);
    this.problem = known.problem;
  }

  /** Somebody waits for it. */
  get isAwaited(): boolean {
    return this.#watchers !== null && this.#watchers.size > 0;
  }

  watch(watcher: OperationWatcher): void {
    (this.#watchers ??= new Set()).add(watcher);
  }

  unwatch(watcher: OperationWatcher): void {
    this.#watchers?.delete(watcher);
  }

  /** Tells whoever looks that it was asked how far it is. */
  measured(): void {
    if (this.#watchers !== null) for (const watcher of [...this.#watchers]) watcher.measured();
  }

  /** Whoever waits need wait no longer. */
  release(): void {
    const watchers = this.#watchers;
    if (watchers === null) return;
    this.#watchers = null;
    for (const watcher of watchers) watcher.over();
  }

  #become(state: OperationState): void {
    if (operationTransitions[this.#state][state] === undefined)
      throw new IllegalOperationTransitionError(this.#state, state);
    this.#state = state;
  }
}

/** A slice keeps the whole chunk it arrived in; in a flood of events that is a thousand times as much. */
function keptValue(value: Buffer): Buffer | string {
  return value.length <= smallBytes ? value.toString('latin1') : ownBytes(value);
}
