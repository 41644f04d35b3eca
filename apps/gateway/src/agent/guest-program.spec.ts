import { describe, expect, it } from 'vitest';
import { Problem } from '../problems/problem.js';
import type { GuestCommands } from './agent-commands.js';
import { execLineType, type ExecLine } from './agent-shapes.js';
import { followProgram, outputBytes, type PollingPace } from './guest-program.js';

/** An agent that gives these statuses one after the other, the last one again and again. */
class ScriptedAgent implements GuestCommands {
  looks = 0;

  constructor(private readonly statuses: readonly object[]) {}

  run(command: string, args: object) {
    expect([command, args]).toEqual(['guest-exec-status', { pid: 7 }]);
    const status = this.statuses[Math.min(this.looks++, this.statuses.length - 1)];
    if (status instanceof Error) return Promise.reject(status);
    return Promise.resolve({ value: { ...status }, trace: {} });
  }

  cleanUp(): Promise<void> {
    throw new Error('a program leaves nothing to put away');
  }

  inSession(): GuestCommands {
    return this;
  }
}

/** Time that passes only by waiting. */
class FakePace implements PollingPace {
  readonly waits: number[] = [];
  #now = 1000;

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds);
    this.#now += milliseconds;
    return Promise.resolve();
  }
}

interface Followed {
  readonly lines: ExecLine[];
  readonly agent: ScriptedAgent;
  readonly waits: number[];
  readonly held: number;
}

async function follow(statuses: readonly object[], timeoutMs = 600_000, leavesAfter = Infinity): Promise<Followed> {
  const agent = new ScriptedAgent(statuses);
  const pace = new FakePace();
  let held = 0;
  const listener = { gone: () => agent.looks >= leavesAfter, holds: (bytes: number) => (held += bytes) };
  const lines: ExecLine[] = [];
  for await (const line of followProgram(agent, { pid: 7, timeoutMs }, listener, pace)) {
    expect(execLineType.faults(line)).toEqual([]);
    lines.push(line);
  }
  return { lines, agent, waits: pace.waits, held };
}

const running = { exited: false };
const ended = { exited: true, exitcode: 0 };
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

describe('following a program', () => {
  it('looks soon, then less and less often, and says now and then that it runs', async () => {
    const { lines, waits } = await follow([...Array.from({ length: 24 }, () => running), ended]);
    expect(waits.slice(0, 3)).toEqual([20, 30, 45]);
    expect(Math.max(...waits)).toBe(1000);
    expect(lines.map(({ type }) => type)).toEqual(['running', 'running', 'running', 'exited']);
    expect(lines[0]).toEqual({ type: 'running', pid: 7, seconds: 5 });
  });

  it('tells its output with its end, cut between characters', async () => {
    const text = 'é'.repeat(outputBytes / 2 + 1).replace(/^é/, 'e');
    const { lines, held } = await follow([
      { ...ended, exitcode: 3, 'out-data': base64(text), 'err-data': base64(Buffer.of(0xff)), 'out-truncated': true },
    ]);
    const texts = lines.flatMap((line) => ('text' in line ? [line.text] : []));
    expect(texts).toHaveLength(2);
    expect(texts.join('')).toBe(text);
    expect(texts.join('')).not.toContain('\ufffd');
    expect(lines.at(-2)).toEqual({ type: 'output', stream: 'stderr', base64: '/w==' });
    expect(lines.at(-1)).toEqual({
      ...{ type: 'exited', pid: 7, exitCode: 3, signal: null },
      ...{ stdoutBytes: Buffer.byteLength(text), stderrBytes: 1, stdoutTruncated: true, stderrTruncated: false },
    });
    expect(held).toBe(Buffer.byteLength(text) + 1);
  });

  it('keeps a byte order mark and zeros', async () => {
    const { lines } = await follow([{ ...ended, 'out-data': base64('\ufeffa\0b') }]);
    expect(lines[0]).toEqual({ type: 'output', stream: 'stdout', text: '\ufeffa\0b' });
  });

  it('goes on when it could not ask, and ends with the problem when nobody can know', async () => {
    const away = new Problem('vm-unavailable', 'away');
    const busy = new Problem('deadline-exceeded', 'queued', { outcome: 'not-sent', retryable: true });
    expect((await follow([away, busy, ended])).lines.at(-1)).toMatchObject({ type: 'exited' });
    // In another session the number may be that of another program.
    for (const code of ['outcome-unknown', 'epoch-changed'] as const) {
      const lost = await follow([running, new Problem(code, 'cut'), ended]);
      expect(lost.lines).toMatchObject([{ type: 'problem', pid: 7, problem: { code } }]);
      expect(lost.agent.looks).toBe(2);
    }
  });

  it('tells nobody of a fault of ours but whoever runs it', async () => {
    await expect(follow([new Error('ours')])).rejects.toThrow('ours');
  });

  it('ends at its time with a problem that says that the program goes on', async () => {
    const { lines, waits } = await follow([running], 100);
    expect(waits.reduce((sum, wait) => sum + wait)).toBe(100);
    expect(lines).toMatchObject([{ type: 'problem', problem: { code: 'deadline-exceeded', outcome: 'unknown' } }]);
  });

  it('asks no more when nobody listens', async () => {
    const { lines, agent } = await follow([running], 600_000, 3);
    expect([lines, agent.looks]).toEqual([[], 3]);
  });

  it('makes the best of what a guest makes up', async () => {
    const { lines } = await follow([{ exited: true, exitcode: 'x', 'out-data': 5, signal: {} }]);
    expect(lines).toMatchObject([{ type: 'exited', exitCode: null, signal: null, stdoutBytes: 0 }]);
  });
});
