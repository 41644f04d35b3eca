import { systemClock, TokenBucket, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';

/** What a subject is to be said to have become. */
export interface JournalLine {
  /** Lines of one subject with the same are repetitions of each other. */
  readonly key: string;
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Nothing is expected to follow: what is remembered of the subject can go in a while. */
  readonly isLast?: boolean;
}

interface Entry {
  readonly subject: string;
  current: JournalLine;
  /** Wall-clock milliseconds at which it became so. */
  since: number;
  /** Monotonic milliseconds at which the lines of each key were last told. */
  readonly toldAt: Map<string, number>;
  /** Changes since the last line that are in none. */
  held: number;
  timer: Timer | undefined;
}

/** No line of a subject comes a second time within this. */
const repeatMs = 60_000;
/** A line that comes so late says since when it is so: its own time is that of the writing. */
const lateMs = 1000;
/** Lines of all subjects at once; from then on so many a second. A syslog drops what comes by the ten thousand. */
const pace = { burst: 200, perSecond: 10 };
/** What is over that is told in one line after so long. */
const summaryMs = 10_000;
/** Subjects named in such a line. */
const namedInSummary = 10;
/** Subjects remembered after their last line. */
const mostGone = 10_000;

/**
 * Lines about many things that come, go and change, for whoever reads a log: each change is a line, but what flaps is
 * told at most once a minute, with how much was left out, and ends with how it is now; and what happens to thousands at
 * once is told in sums.
 */
export class Journal {
  readonly #entries = new Map<string, Entry>();
  /** Subjects whose last line was told, oldest first. */
  readonly #gone = new Set<Entry>();
  readonly #pace: TokenBucket;
  /** By message, what was too much. */
  readonly #summed = new Map<string, number>();
  readonly #named = new Set<string>();
  #isGrave = false;
  #summary: Timer | undefined;

  constructor(
    private readonly log: Pick<Logger, 'info' | 'warn'>,
    private readonly clock: Clock = systemClock,
  ) {
    this.#pace = new TokenBucket(pace, clock.now());
  }

  /** Says what became of a subject, now or when it is due. */
  say(subject: string, line: JournalLine): void {
    let entry = this.#entries.get(subject);
    if (entry === undefined) {
      entry = { subject, current: line, since: 0, toldAt: new Map(), held: 0, timer: undefined };
      this.#entries.set(subject, entry);
    }
    this.#gone.delete(entry);
    entry.current = line;
    entry.since = this.clock.wall();
    const wait = this.#waitOf(entry);
    if (wait <= 0) this.#tell(entry);
    else {
      entry.held++;
      this.#plan(entry, wait);
    }
  }

  /** Whether a line with this key was told of the subject, as far back as that is remembered. */
  hasTold(subject: string, key: string): boolean {
    return this.#entries.get(subject)?.toldAt.has(key) === true;
  }

  /** Nothing more is said of a subject, and what was is forgotten. */
  drop(subject: string): void {
    const entry = this.#entries.get(subject);
    if (entry !== undefined) this.#forget(entry);
  }

  /** Says what is summed up; nothing that waits for its turn is said any more. */
  close(): void {
    this.#sumUp();
    for (const { timer } of this.#entries.values()) timer?.cancel();
    this.#entries.clear();
    this.#gone.clear();
  }

  /** Milliseconds until the present line may be told. */
  #waitOf({ current, toldAt }: Entry): number {
    return (toldAt.get(current.key) ?? -Infinity) + repeatMs - this.clock.now();
  }

  #plan(entry: Entry, waitMs: number): void {
    entry.timer ??= this.clock.schedule(waitMs, () => {
      entry.timer = undefined;
      this.#due(entry);
    });
  }

  #due(entry: Entry): void {
    if (entry.held === 0) {
      if (entry.current.isLast === true) this.#forget(entry);
      return;
    }
    const wait = this.#waitOf(entry);
    if (wait <= 0) {
      // What is told now was left out when it came.
      entry.held--;
      this.#tell(entry);
    } else this.#plan(entry, wait);
  }

  #tell(entry: Entry): void {
    const { current, held, subject, since } = entry;
    entry.toldAt.set(current.key, this.clock.now());
    entry.held = 0;
    const fields = {
      ...current.fields,
      ...(held > 0 ? { repeated: held } : {}),
      ...(this.clock.wall() - since >= lateMs ? { since: new Date(since).toISOString() } : {}),
    };
    if (this.#pace.tryTake(this.clock.now())) this.log[current.level](fields, current.message);
    else this.#sum(subject, current);
    if (current.isLast !== true) return;
    entry.timer?.cancel();
    entry.timer = undefined;
    this.#gone.add(entry);
    this.#plan(entry, repeatMs);
    const [oldest] = this.#gone;
    if (oldest !== undefined && this.#gone.size > mostGone) this.#forget(oldest);
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel();
    this.#gone.delete(entry);
    this.#entries.delete(entry.subject);
  }

  #sum(subject: string, { message, level }: JournalLine): void {
    this.#summed.set(message, (this.#summed.get(message) ?? 0) + 1);
    if (this.#named.size < namedInSummary) this.#named.add(subject);
    if (level === 'warn') this.#isGrave = true;
    this.#summary ??= this.clock.schedule(summaryMs, () => this.#sumUp());
  }

  #sumUp(): void {
    this.#summary?.cancel();
    this.#summary = undefined;
    if (this.#summed.size === 0) return;
    const fields = { counts: Object.fromEntries(this.#summed), vms: [...this.#named] };
    this.log[this.#isGrave ? 'warn' : 'info'](fields, 'vms changed, too many to log one by one');
    this.#summed.clear();
    this.#named.clear();
    this.#isGrave = false;
  }
}
