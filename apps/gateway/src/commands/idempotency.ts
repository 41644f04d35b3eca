import { hash } from 'node:crypto';
import { ownBytes, systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { StateDirectory } from '../state/state-directory.js';
import { SegmentedLog, type Segment } from '../state/segmented-log.js';
import { Problem } from '../problems/problem.js';
import type { CommandAnswer, CommandRequest } from './command-request.js';
import { answeredLine, begunLine, forgottenLine, readKeyRecord } from './idempotency-records.js';

interface Entry {
  readonly key: string;
  readonly bodyHash: string;
  /** Monotonic milliseconds. */
  readonly started: number;
  answer: CommandAnswer | undefined;
  /** The record on disk that its command was about to be sent; undefined before. */
  segment: Segment | undefined;
  /** Of an earlier run of the gateway, which ended before the reply came: its operation. */
  readonly lost?: string;
}

/** What a command with a key reports of its progress. */
export interface KeyedRun {
  /**
   * It is about to be sent: from now on it must not run again, even if this process dies.
   * @param operation its id
   * @throws Problem `idempotency-unavailable` if that cannot be recorded
   */
  sending(operation: string): void;
  /** Its answer, and again the late one after a deadline. */
  ended(answer: CommandAnswer): void;
}

/** What a key means for a command: it is the first, or gets the answer of the one before. */
export type KeyClaim =
  { readonly kind: 'run'; readonly key: KeyedRun } | { readonly kind: 'replay'; readonly answer: CommandAnswer };

export interface IdempotencyParts {
  readonly state: StateDirectory;
  readonly clock?: Clock;
  /** Path of the operation, if what the command began is still known. */
  operationPath(vm: string, operation: string): string | undefined;
  /** Called once each time keys can no longer be recorded, or can be again. */
  trouble(failure: string | undefined): void;
}

const keptMs = 10 * 60_000;
/** Keys kept; beyond it the oldest are forgotten early. */
const maxEntries = 10_000;
/** Of the answers in memory; beyond it the oldest are forgotten early. */
const maxBytes = 64 * 2 ** 20;
/** Of the files; beyond it the oldest are forgotten early. */
const maxFileBytes = 2 * maxBytes;
/** The answer to a failure is of this size, roughly. */
const problemBytes = 500;

/**
 * `Idempotency-Key`: the same key of one principal for one VM and command is run once within ten minutes, also when the
 * gateway dies meanwhile. What is kept is in memory, and on disk from just before the command's first byte is: whoever
 * comes again after a crash gets the answer, or hears that nobody knows it.
 */
export class IdempotencyStore {
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #log: SegmentedLog;
  readonly #clock: Clock;
  #bytes = 0;
  #failed = false;
  #expiry: Timer | undefined;

  constructor(private readonly parts: IdempotencyParts) {
    this.#clock = parts.clock ?? systemClock;
    this.#log = new SegmentedLog(parts.state, 'idempotency');
  }

  /** Loads what an earlier run left. @throws SettingsError for a file that cannot be read */
  load(): void {
    const [now, wall] = [this.#clock.now(), this.#clock.wall()];
    this.#log.load((line, segment) => {
      const record = readKeyRecord(line);
      if (record === undefined) return;
      const { key } = record;
      const entry = this.#entries.get(key);
      if (record.kind === 'begun') {
        // A clock that was set back must not make a promise shorter.
        const age = Math.max(0, wall - record.at);
        if (entry !== undefined) this.#drop(entry);
        if (age >= keptMs) return;
        segment.held++;
        const { body: bodyHash, operation: lost } = record;
        this.#entries.set(key, { key, bodyHash, started: now - age, answer: undefined, segment, lost });
      } else if (entry === undefined) return;
      else if (record.kind === 'answered') this.#keep(entry, record.answer);
      else this.#drop(entry);
    });
    this.#expire();
  }

  /**
   * Claims the key of a request. Where it was used before and its command is done, or was lost, the stored answer is
   * given again.
   *
   * @returns undefined when it has none
   * @throws Problem `idempotency-in-progress`, `idempotency-mismatch`
   */
  begin(request: CommandRequest, json: string | undefined): KeyClaim | undefined {
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined) return undefined;
    this.#expire();
    const key = scopeOf(request, idempotencyKey);
    // The key is part of it, so that nobody who reads the file can find the body by trial.
    const bodyHash = hash('sha256', `${idempotencyKey}\n${json ?? ''}`, 'base64url');
    const present = this.#entries.get(key);
    if (present !== undefined) {
      if (present.bodyHash !== bodyHash)
        throw new Problem('idempotency-mismatch', 'This Idempotency-Key was used with other arguments.');
      const answer = present.answer ?? this.#lostAnswer(present, request);
      if (answer === undefined || isPending(answer))
        throw new Problem('idempotency-in-progress', 'The first command with this Idempotency-Key has no outcome yet.');
      const trace = { ...answer.trace, replayed: true };
      const { vm, command } = request;
      if (answer.ok) return { kind: 'replay', answer: { ...answer, trace } };
      return { kind: 'replay', answer: { ok: false, problem: answer.problem.about({ vm, command }), trace } };
    }
    const entry: Entry = { key, bodyHash, started: this.#clock.now(), answer: undefined, segment: undefined };
    this.#entries.set(key, entry);
    this.#planExpiry();
    const run: KeyedRun = {
      sending: (operation) => this.#sending(entry, operation),
      ended: (answer) => this.#ended(entry, answer),
    };
    return { kind: 'run', key: run };
  }

  /** What is on disk stays for the next run. */
  close(): void {
    this.#expiry?.cancel();
    this.#log.close();
  }

  #sending(entry: Entry, operation: string): void {
    // While it waited in the queue: a repetition would not find it, and would be sent as well.
    if (this.#entries.get(entry.key) !== entry)
      throw new Problem(
        'idempotency-unavailable',
        'This Idempotency-Key was forgotten in favour of others; nothing was sent.',
      );
    const { key, bodyHash, started } = entry;
    const at = Math.round(this.#clock.wall() - (this.#clock.now() - started));
    const segment = this.#append(begunLine(key, bodyHash, at, operation));
    if (segment === undefined)
      throw new Problem(
        'idempotency-unavailable',
        'This Idempotency-Key cannot be written down, so that a repetition after a crash of the gateway would run again; nothing was sent.',
      );
    segment.held++;
    entry.segment = segment;
    this.#expire();
  }

  #ended(entry: Entry, answer: CommandAnswer): void {
    if (this.#entries.get(entry.key) !== entry) return;
    // Nothing was done, so a retry must run.
    if (!answer.ok && answer.problem.outcome === 'not-sent') {
      if (entry.segment !== undefined) this.#append(forgottenLine(entry.key));
      this.#drop(entry);
      return;
    }
    // What cannot be recorded now is unknown after a crash, which is the truth.
    if (!isPending(answer)) this.#append(answeredLine(entry.key, answer));
    this.#keep(entry, answer);
    this.#expire();
  }

  #append(line: string): Segment | undefined {
    try {
      const segment = this.#log.append(line);
      if (this.#failed) this.parts.trouble(undefined);
      this.#failed = false;
      return segment;
    } catch (error) {
      if (!this.#failed) this.parts.trouble((error as Error).message);
      this.#failed = true;
      return undefined;
    }
  }

  /** The gateway that began it has ended, and never heard whether the VM did it. */
  #lostAnswer({ lost }: Entry, { vm }: CommandRequest): CommandAnswer | undefined {
    if (lost === undefined) return undefined;
    const operation = this.parts.operationPath(vm, lost);
    const about = operation === undefined ? {} : { operation };
    const hint =
      operation === undefined ? '' : ' Its operation tells what is known of it, and the VM itself how it is now.';
    const detail = `The gateway ended before it heard the reply to the first command with this Idempotency-Key; nothing was sent again.${hint}`;
    return { ok: false, problem: new Problem('outcome-unknown', detail, about), trace: { operation: lost } };
  }

  #keep(entry: Entry, answer: CommandAnswer): void {
    this.#bytes += sizeOf(answer) - sizeOf(entry.answer);
    entry.answer = kept(answer);
  }

  #drop(entry: Entry): void {
    this.#bytes -= sizeOf(entry.answer);
    this.#entries.delete(entry.key);
    const { segment } = entry;
    entry.segment = undefined;
    if (segment !== undefined) this.#log.release(segment);
  }

  #expire(): void {
    const oldest = this.#clock.now() - keptMs;
    for (const entry of this.#entries.values()) {
      const fits = this.#entries.size <= maxEntries && this.#bytes <= maxBytes && this.#log.bytes <= maxFileBytes;
      if (entry.started > oldest && fits) break;
      this.#drop(entry);
    }
    this.#planExpiry();
  }

  /** Also if no more requests come: answers must not stay on disk for longer than they are useful. */
  #planExpiry(): void {
    if (this.#expiry !== undefined) return;
    const [oldest] = this.#entries.values();
    if (oldest === undefined) return;
    this.#expiry = this.#clock.schedule(Math.max(0, oldest.started + keptMs - this.#clock.now()), () => {
      this.#expiry = undefined;
      this.#expire();
    });
  }
}

/** Everything that a key belongs to, as one name that no other key can have. */
function scopeOf({ principal, vm, agent, command }: CommandRequest, key: string): string {
  return hash('sha256', JSON.stringify([principal.id, vm, agent === true, command, key]), 'base64url');
}

/** A deadline passed while the command goes on. */
function isPending(answer: CommandAnswer): boolean {
  return !answer.ok && answer.problem.code === 'deadline-exceeded';
}

/** Ten thousand answers that each kept the chunk they arrived in would exceed 64 MiB. */
function kept(answer: CommandAnswer): CommandAnswer {
  return answer.ok && Buffer.isBuffer(answer.json) ? { ...answer, json: ownBytes(answer.json) } : answer;
}

function sizeOf(answer: CommandAnswer | undefined): number {
  if (answer === undefined) return 0;
  return answer.ok ? answer.json.length : problemBytes;
}
