import { isUtf8 } from 'node:buffer';
import { Problem, problemBody } from '../problems/problem.js';
import type { GuestCommands, GuestReply } from './agent-commands.js';
import type { ExecLine } from './agent-shapes.js';

/** A program that `guest-exec` started. */
export interface StartedProgram {
  /** The process id that `guest-exec` returned. */
  readonly pid: unknown;
  /** Milliseconds after which the gateway stops following the program. */
  readonly timeoutMs: number;
}

/** The reader of the lines. */
export interface ProgramListener {
  /** True when the reader is gone. */
  gone(): boolean;
  /** Reserves this many bytes until the lines are read. */
  holds(bytes: number): void;
}

/** The time source, in milliseconds; injected, so that tests control it. */
export interface PollingPace {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** The first poll comes soon, for programs that end at once; each next one later, up to this. */
const firstLookMs = 20;
const lastLookMs = 1000;
const looksSlowDownBy = 1.5;
/** The longest time between lines while the program runs, so that no proxy takes the connection for dead. */
const aliveMs = 5000;
/** Deadline of one poll. */
const lookDeadlineMs = 30_000;
/** Bytes of output in one line. */
export const outputBytes = 48 * 1024;

/** The process id that `guest-exec` returned identifies the program. */
export function pidOf({ value }: GuestReply): unknown {
  return value['pid'];
}

/**
 * Follows a program to its end. The agent returns the output only after the end, and then
 * forgets the program; so a poll is never repeated unless it certainly was not sent.
 */
export async function* followProgram(
  agent: GuestCommands,
  { pid, timeoutMs }: StartedProgram,
  listener: ProgramListener,
  pace: PollingPace,
): AsyncGenerator<ExecLine, void, undefined> {
  const begun = pace.now();
  let told = begun;
  let wait = firstLookMs;
  while (!listener.gone()) {
    const left = begun + timeoutMs - pace.now();
    if (left <= 0) {
      yield { type: 'problem', pid, problem: problemBody(goesOn(timeoutMs)) };
      return;
    }
    await pace.sleep(Math.min(wait, left));
    wait = Math.min(wait * looksSlowDownBy, lastLookMs);
    const status = await look(agent, pid);
    if (status instanceof Problem) {
      yield { type: 'problem', pid, problem: problemBody(status) };
      return;
    }
    if (status?.['exited'] === true) {
      yield* ending(pid, status, listener);
      return;
    }
    if (pace.now() - told >= aliveMs) {
      told = pace.now();
      yield { type: 'running', pid, seconds: Math.round((told - begun) / 1000) };
    }
  }
}

/**
 * @returns undefined if the agent was not available, and may be later
 * @throws an error that is no problem: a fault of ours
 */
async function look(agent: GuestCommands, pid: unknown): Promise<GuestReply['value'] | Problem | undefined> {
  try {
    return (await agent.run('guest-exec-status', { pid }, { part: true, timeoutMs: lookDeadlineMs })).value;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.outcome === 'not-sent' && error.retryable ? undefined : error;
  }
}

function goesOn(timeoutMs: number): Problem {
  const detail = `The program has not ended within ${timeoutMs / 1000} s and goes on; guest-exec-status returns its state.`;
  return new Problem('deadline-exceeded', detail, { command: 'guest-exec' });
}

function* ending(
  pid: unknown,
  status: GuestReply['value'],
  listener: ProgramListener,
): Generator<ExecLine, void, undefined> {
  const stdout = bytesOf(status['out-data']);
  const stderr = bytesOf(status['err-data']);
  listener.holds(stdout.length + stderr.length);
  yield* outputLines('stdout', stdout);
  yield* outputLines('stderr', stderr);
  yield {
    type: 'exited',
    pid,
    exitCode: numberOrNull(status['exitcode']),
    signal: numberOrNull(status['signal']),
    stdoutBytes: stdout.length,
    stderrBytes: stderr.length,
    stdoutTruncated: status['out-truncated'] === true,
    stderrTruncated: status['err-truncated'] === true,
  };
}

/** A stream that is valid UTF-8 throughout as text, split between characters; any other as base64. */
function* outputLines(stream: 'stdout' | 'stderr', bytes: Buffer): Generator<ExecLine, void, undefined> {
  const decoder = isUtf8(bytes) ? new TextDecoder('utf-8', { ignoreBOM: true }) : undefined;
  for (let at = 0; at < bytes.length; at += outputBytes) {
    const part = bytes.subarray(at, at + outputBytes);
    if (decoder === undefined) yield { type: 'output', stream, base64: part.toString('base64') };
    else yield { type: 'output', stream, text: decoder.decode(part, { stream: at + outputBytes < bytes.length }) };
  }
}

function bytesOf(base64: unknown): Buffer {
  return Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64');
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
