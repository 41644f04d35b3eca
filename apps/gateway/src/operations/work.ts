import type { CompletionKind } from '@qmp-gateway/catalog';
import { cutText, serverBounds, type Timer } from '@qmp-gateway/qmp';
import type { ProblemCode } from '../problems/catalogue.js';
import { Problem, type ProblemFields } from '../problems/problem.js';

/** `ready`: a job that waits to be told to finish. All but `running` and `ready` are final. */
export type WorkState = 'running' | 'ready' | 'done' | 'failed' | 'cancelled' | 'lost';

/** How work ended. */
export type Verdict =
  { readonly state: 'done' } | { readonly state: 'failed' | 'cancelled' | 'lost'; readonly problem: Problem };

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

/** What is kept of work over a restart. */
export interface WorkRecord {
  readonly id: string;
  readonly vm: string;
  /** Null for a job or a migration that was started past the gateway. */
  readonly command: string | null;
  /** Who started it; null when nobody did through the gateway. */
  readonly principalId: string | null;
  readonly completion: CompletionKind;
  /** What it is about: the id of the job or device, the size wanted. */
  subject: string;
  /** Wall-clock milliseconds, as are all times here. */
  readonly started: number;
  deadlineAt: number | null;
  /** The session its command was written in; null before. */
  epoch: string | null;
  state: WorkState;
  ended: number | null;
  /** The command's return value, as QEMU wrote it. */
  result: string | null;
  problem: { readonly code: ProblemCode; readonly detail: string; readonly fields: ProblemFields } | null;
  progress: Progress | null;
  readonly events: WorkEvent[];
  job: JobView | null;
  /** The job was started so that its end is kept until the gateway has read it. */
  readonly dismiss: boolean;
  /** It was asked to give up: an end without success is no failure then, also when another run of the gateway hears of it. */
  cancelRequested?: true;
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

const asItIs = (desc: string): string => desc;

/** One piece of work that goes on after the reply of its command. */
export class Work {
  /** Its command is on its way to the VM: what happens from now on may be its doing. */
  written = false;
  /** The reply came. Until then an end that events told is held back: the command may still be refused. */
  replied = false;
  /** What an event before the reply told of the end. */
  held: Verdict | 'ask' | undefined;
  /** The end of a job as far as it is known: told when the job is concluded, and let go if that is left to us. */
  foretold: Verdict | undefined;
  /** A job that is going to end without success. */
  aborting = false;
  /** Its job is being dismissed. */
  dismissing = false;
  /** Its deadline passed while the VM was away. */
  overdue = false;
  /** Its end was known when its command was answered, and was audited with that. */
  toldAtReply = false;
  /** Its end comes without any event, so it must be asked for. */
  mute = false;
  /** Monotonic milliseconds of the last answer that could tell how far it is. */
  measuredAt = -Infinity;
  /** Runs at its deadline. */
  deadline: Timer | undefined;
  /** Monotonic milliseconds of the last event that told of it. */
  announcedAt = -Infinity;
  /** What may be shown of a text of QEMU's: the secrets of its command are not repeated. Knows the arguments, so it goes with the end. */
  shown = asItIs;
  /** Requests that wait for it. */
  readonly waiters = new Set<() => void>();
  /** Requests that want to know how far it is now. */
  readonly lookers = new Set<() => void>();
  #sampledAt = NaN;

  constructor(readonly record: WorkRecord) {}

  get over(): boolean {
    const { state } = this.record;
    return state !== 'running' && state !== 'ready';
  }

  get path(): string {
    return `/v1/vms/${this.record.vm}/operations/${this.record.id}`;
  }

  /** Why it did not end well. */
  get problem(): Problem | undefined {
    const { problem } = this.record;
    return problem === null ? undefined : new Problem(problem.code, problem.detail, problem.fields);
  }

  /** A verdict other than `done`, about this work. */
  verdict(
    state: 'failed' | 'cancelled' | 'lost',
    code: ProblemCode,
    detail: string,
    fields: ProblemFields = {},
  ): Verdict {
    const { vm, command } = this.record;
    const about = { vm, ...(command === null ? {} : { command }), operation: this.path };
    return { state, problem: new Problem(code, detail, { ...about, ...fields }) };
  }

  /** Failed for a reason that QEMU gave. */
  failure(said: string): Verdict {
    const desc = this.shown(cutText(said, serverBounds.errorText.most));
    return this.verdict('failed', 'command-failed', desc, { outcome: 'refused', qmp: { class: 'GenericError', desc } });
  }

  cancellation(detail: string): Verdict {
    return this.verdict('cancelled', 'command-failed', detail, { outcome: 'refused' });
  }

  loss(detail: string): Verdict {
    return this.verdict('lost', 'outcome-unknown', detail);
  }

  end(verdict: Verdict, now: number): void {
    const { record } = this;
    this.shown = asItIs;
    record.state = verdict.state;
    record.ended = now;
    if (verdict.state !== 'done') {
      const { code, detail, fields } = verdict.problem;
      record.problem = { code, detail, fields };
    } else if (record.progress !== null) {
      record.progress = { ...record.progress, current: record.progress.total, rate: null, estimatedEnd: null };
    }
    this.tell();
  }

  /** Whoever waits need wait no longer. */
  tell(): void {
    for (const told of [...this.waiters, ...this.lookers]) told();
  }

  /** An event that belongs to it. */
  note(event: WorkEvent): void {
    const { events } = this.record;
    events.push(event.data.length > eventDataBytes ? { ...event, data: '{}' } : event);
    if (events.length > keptEvents) events.shift();
  }

  /**
   * How far it is.
   * @param now wall-clock milliseconds
   * @returns whether that is news
   */
  advance(current: number, total: number, unit: Progress['unit'], now: number): boolean {
    const before = this.record.progress;
    if (before?.current === current && before.total === total) return false;
    const seconds = (now - this.#sampledAt) / 1000;
    const gained = before === null ? NaN : (current - before.current) / seconds;
    const fresh = Number.isFinite(gained) && gained > 0 ? gained : null;
    // Half of what was, half of what is: steady enough to be shown.
    const rate = fresh === null ? (before?.rate ?? null) : (before?.rate ?? fresh) / 2 + fresh / 2;
    const estimatedEnd = rate === null ? null : timeOrNull(now + ((total - current) / rate) * 1000);
    this.record.progress = { current, total, unit, rate: rate === null ? null : Math.round(rate), estimatedEnd };
    this.#sampledAt = now;
    return true;
  }
}
