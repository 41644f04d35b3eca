import type { CompletionKind } from '@qmp-gateway/catalog';
import { cutText, serverBounds, type Timer } from '@qmp-gateway/qmp';
import type { ProblemCode } from '../problems/catalogue.js';
import { Problem, type ProblemFields } from '../problems/problem.js';
import type { OperationEnd, ShownState } from './operation-state.js';

/** How work ended. */
export type Verdict =
  { readonly state: 'done' } | { readonly state: Exclude<OperationEnd, 'done'>; readonly problem: Problem };

export interface Progress {
  readonly current: number;
  readonly total: number;
  readonly unit: 'bytes' | 'steps';
  /** Units per second; null until two looks tell it. */
  readonly rate: number | null;
  /** Wall-clock milliseconds. */
  readonly estimatedEnd: number | null;
}

/** An event that belongs to work: its place in the event stream, and its data as QEMU wrote it. */
export interface WorkEvent {
  readonly cursor: string;
  readonly event: string;
  /** JSON text. */
  readonly data: string;
  /** Wall-clock milliseconds. */
  readonly time: number;
}

/** A job as QEMU knows it. */
export interface JobView {
  readonly id: string;
  /** `mirror`, `stream`, …; null until QEMU told it. */
  type: string | null;
  status: string | null;
}

/** What work says of the operation that it belongs to. */
export interface WorkOwner {
  readonly vm: string;
  /** Null for a job or a migration that was started past the gateway. */
  readonly command: string | null;
  /** Where clients ask for it. */
  readonly path: string;
}

/** What is known of work at its beginning. */
export interface BegunWork {
  readonly completion: CompletionKind;
  /** What it is about: the id of the job or device, the size wanted. */
  readonly subject: string;
  /** Wall-clock milliseconds, as are all times here. */
  readonly deadlineAt: number | null;
  /** The job was started so that its end is kept until the gateway has read it. */
  readonly dismiss: boolean;
  readonly job: JobView | null;
}

/** What was learned of work until its gateway ended. */
export interface KnownWork {
  readonly epoch: string | null;
  readonly progress: Progress | null;
  readonly events: readonly WorkEvent[];
  readonly state: ShownState;
  readonly cancelRequested?: true;
}

/** Newest events kept of one work; older ones are in the event stream, as long as that reaches back. */
const keptEvents = 32;
/** Longer event data is cut to `{}`. */
const eventDataBytes = 2048;

/** What a `Date` can be, in milliseconds before and after 1970 (ECMA-262, "Time Values and Time Range"). */
const longestTime = 8.64e15;

/** Whatever numbers the VM told: null for no time at all. */
function timeOrNull(wall: number): number | null {
  return Math.abs(wall) <= longestTime ? Math.round(wall) : null;
}

/** What may be shown of a text of QEMU's. */
export type Redaction = (desc: string) => string;

const asItIs: Redaction = (desc) => desc;

/** What of an operation goes on after the reply of its command: how far it is, and what was heard of its end so far. */
export class Work {
  readonly completion: CompletionKind;
  readonly dismiss: boolean;
  readonly events: WorkEvent[] = [];
  deadlineAt: number | null;
  /** The session of the VM in which its command was written; null before. */
  epoch: string | null = null;
  progress: Progress | null = null;
  job: JobView | null;
  /** Runs at its deadline. */
  deadline: Timer | undefined;
  /** Monotonic milliseconds of the last answer that could tell how far it is. */
  measuredAt = -Infinity;
  /** Monotonic milliseconds of the last event that told of it. */
  announcedAt = -Infinity;
  #subject: string;
  #isReady = false;
  #cancelRequested = false;
  /** What an event before the reply told of the end. */
  #held: Verdict | 'ask' | undefined;
  #foretold: Verdict | undefined;
  #isAborting = false;
  #isMute = false;
  #phase: 'followed' | 'overdue' | 'dismissing' = 'followed';
  #endIsAudited = false;
  #redact: Redaction = asItIs;
  #sampledAt = NaN;

  constructor(
    readonly owner: WorkOwner,
    { completion, subject, deadlineAt, dismiss, job }: BegunWork,
  ) {
    this.completion = completion;
    this.#subject = subject;
    this.deadlineAt = deadlineAt;
    this.dismiss = dismiss;
    this.job = job;
  }

  /** What it is about: the id of the job or device, the size wanted. */
  get subject(): string {
    return this.#subject;
  }

  /** A job that was started without an id got this one. */
  name(subject: string): void {
    this.#subject = subject;
  }

  /** A job that waits to be told to finish. */
  get isReady(): boolean {
    return this.#isReady;
  }

  becomeReady(): void {
    this.#isReady = true;
  }

  /** It was asked to give up: an end without success is no failure then, also when another run of the gateway hears of it. */
  get cancelRequested(): boolean {
    return this.#cancelRequested;
  }

  requestCancel(): void {
    this.#cancelRequested = true;
  }

  /** Its end comes without any event, so it must be asked for. */
  get isMute(): boolean {
    return this.#isMute;
  }

  expectNoEvent(): void {
    this.#isMute = true;
  }

  /** An event told of it, so one will tell its end. */
  heard(): void {
    this.#isMute = false;
  }

  /** A job that is going to end without success. */
  get isAborting(): boolean {
    return this.#isAborting;
  }

  abort(): void {
    this.#isAborting = true;
  }

  /** The end of a job as far as it is known: told when the job is concluded, and let go if that is left to us. */
  get foretold(): Verdict | undefined {
    return this.#foretold;
  }

  foretell(verdict: Verdict | undefined): void {
    this.#foretold = verdict;
  }

  /** Keeps what an event told of the end until the reply: the command may still be refused. */
  hold(verdict: Verdict | 'ask'): void {
    this.#held = verdict;
  }

  /** What was held back until now, which is forgotten by that. */
  takeHeld(): Verdict | 'ask' | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** Its deadline passed while the VM was away. */
  get isOverdue(): boolean {
    return this.#phase === 'overdue';
  }

  becomeOverdue(): void {
    this.#phase = 'overdue';
  }

  /** How it ended is known, and its job is being dismissed. */
  get isDismissing(): boolean {
    return this.#phase === 'dismissing';
  }

  dismissing(verdict: Verdict): void {
    this.#phase = 'dismissing';
    this.#foretold = verdict;
  }

  notDismissed(): void {
    this.#phase = 'followed';
  }

  /** How it ended is in the audit line of its command. */
  get endIsAudited(): boolean {
    return this.#endIsAudited;
  }

  auditedEnd(): void {
    this.#endIsAudited = true;
  }

  /** Keeps secrets of its command out of what QEMU says of it. Knows the arguments, so it goes with the end. */
  redactWith(redact: Redaction): void {
    this.#redact = redact;
  }

  /** Takes up what an earlier run of the gateway knew. */
  restore(known: KnownWork): void {
    this.epoch = known.epoch;
    this.progress = known.progress;
    this.events.push(...known.events);
    this.#isReady = known.state === 'ready';
    this.#cancelRequested = known.cancelRequested === true;
  }

  /** Lets go of what is needed only while it goes on. */
  conclude(state: OperationEnd): void {
    this.#redact = asItIs;
    this.deadline?.cancel();
    const { progress } = this;
    if (state === 'done' && progress !== null)
      this.progress = { ...progress, current: progress.total, rate: null, estimatedEnd: null };
  }

  /** A verdict other than `done`, about this work. */
  verdict(
    state: Exclude<OperationEnd, 'done'>,
    code: ProblemCode,
    detail: string,
    fields: ProblemFields = {},
  ): Verdict {
    const { vm, command, path } = this.owner;
    const about = { vm, ...(command === null ? {} : { command }), operation: path };
    return { state, problem: new Problem(code, detail, { ...about, ...fields }) };
  }

  /** Failed for a reason that QEMU gave. */
  failure(said: string): Verdict {
    const desc = this.#redact(cutText(said, serverBounds.errorText.most));
    return this.verdict('failed', 'command-failed', desc, { outcome: 'refused', qmp: { class: 'GenericError', desc } });
  }

  cancellation(detail: string): Verdict {
    return this.verdict('cancelled', 'command-failed', detail, { outcome: 'refused' });
  }

  loss(detail: string): Verdict {
    return this.verdict('lost', 'outcome-unknown', detail);
  }

  /** An event that belongs to it. */
  note(event: WorkEvent): void {
    const { events } = this;
    events.push(event.data.length > eventDataBytes ? { ...event, data: '{}' } : event);
    if (events.length > keptEvents) events.shift();
  }

  /**
   * How far it is.
   * @param now wall-clock milliseconds
   * @returns whether that is news
   */
  advance(current: number, total: number, unit: Progress['unit'], now: number): boolean {
    const before = this.progress;
    if (before?.current === current && before.total === total) return false;
    const seconds = (now - this.#sampledAt) / 1000;
    const gained = before === null ? NaN : (current - before.current) / seconds;
    const fresh = Number.isFinite(gained) && gained > 0 ? gained : null;
    // Half of what was, half of what is: steady enough to be shown.
    const rate = fresh === null ? (before?.rate ?? null) : (before?.rate ?? fresh) / 2 + fresh / 2;
    const estimatedEnd = rate === null ? null : timeOrNull(now + ((total - current) / rate) * 1000);
    this.progress = { current, total, unit, rate: rate === null ? null : Math.round(rate), estimatedEnd };
    this.#sampledAt = now;
    return true;
  }
}
