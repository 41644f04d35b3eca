import { isUtf8 } from 'node:buffer';
import { asProblem, Problem, problemBody } from '../problems/problem.js';
import type { GuestCommands, GuestReply } from './agent-commands.js';

/** A line of what is known of a program by now. */
export type ExecLine =
  | { readonly type: 'started'; readonly pid: unknown; readonly operation: string | undefined }
  | { readonly type: 'running'; readonly pid: unknown; readonly seconds: number }
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly base64: string }
  | {
      readonly type: 'exited';
      readonly pid: unknown;
      readonly exitCode: number | null;
      readonly signal: number | null;
      readonly stdoutBytes: number;
      readonly stderrBytes: number;
      readonly stdoutTruncated: boolean;
      readonly stderrTruncated: boolean;
    }
  | { readonly type: 'problem'; readonly pid: unknown; readonly problem: object };

/** Who the lines are for. */
export interface ProgramListener {
  /** Nobody listens any more. */
  gone(): boolean;
  /** So many bytes are held until the lines are taken. */
  holds(bytes: number): void;
}

/** Time as this uses it, in milliseconds; injected, so that tests move it. */
export interface Pace {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** The first look comes soon, for programs that end at once; each next one later, up to this. */
const firstLookMs = 20;
const lastLookMs = 1000;
const looksSlowDownBy = 1.5;
/** A line at least so often while the program runs, so that nobody on the way takes the connection for dead. */
const aliveMs = 5000;
/** For the answer to one look. */
const lookDeadlineMs = 30_000;
/** Bytes of output in one line. */
export const outputBytes = 48 * 1024;

/** Programs are known by what `guest-exec` answered. */
export function pidOf({ value }: GuestReply): unknown {
  return value['pid'];
}

/**
 * Follows a program that `guest-exec` started to its end. The agent tells the output with the end and not before, and
 * forgets the program when it has told; so a look is never repeated unless it certainly was not taken.
 *
 * @param timeoutMs after which the program goes on without us
 */
export async function* followProgram(
  agent: GuestCommands,
  pid: unknown,
  timeoutMs: number,
  listener: ProgramListener,
  pace: Pace,
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

/** @returns undefined when the agent could not be asked, and may be later */
async function look(agent: GuestCommands, pid: unknown): Promise<GuestReply['value'] | Problem | undefined> {
  try {
    return (await agent.run('guest-exec-status', { pid }, { part: true, timeoutMs: lookDeadlineMs })).value;
  } catch (error) {
    const problem = asProblem(error);
    return problem.outcome === 'not-sent' && problem.retryable ? undefined : problem;
  }
}

function goesOn(timeoutMs: number): Problem {
  const detail = `The program has not ended within ${timeoutMs / 1000} s and goes on; guest-exec-status tells of it.`;
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

/** A stream that is UTF-8 from end to end as text, cut between characters; any other as base64. */
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
