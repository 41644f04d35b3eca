import type { ExecLine } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import { notStarted, textOf, withLine } from './program-output.js';

const after = (lines: readonly ExecLine[], bound?: number) =>
  lines.reduce((state, line) => withLine(state, line, bound), notStarted);
const output = (stream: 'stdout' | 'stderr', text: string): ExecLine => ({ type: 'output', stream, text });
const ended = { stdoutBytes: 0, stderrBytes: 0, stdoutTruncated: false, stderrTruncated: false };

describe('a program', () => {
  it('is what its lines say', () => {
    const state = after([
      { type: 'started', pid: 12, operation: 'o' },
      { type: 'running', pid: 12, seconds: 5 },
      output('stdout', 'one\n'),
      output('stderr', 'bad\n'),
      output('stdout', 'two\n'),
      { type: 'exited', pid: 12, exitCode: 3, signal: null, ...ended },
    ]);
    expect(state).toMatchObject({ pid: 12, runningSeconds: 5, cutBytes: 0, exit: { exitCode: 3 } });
    expect([textOf(state, 'stdout'), textOf(state, 'stderr')]).toEqual(['one\ntwo\n', 'bad\n']);
  });

  it('is kept up to a bound, and says how much more there was', () => {
    const state = after([output('stdout', '12345'), output('stderr', '67890'), output('stdout', 'abc')], 7);
    expect([textOf(state, 'stdout'), textOf(state, 'stderr'), state.cutBytes]).toEqual(['12345', '67', 6]);
  });

  it('shows bytes that are no text in their place', () => {
    const state = after([{ type: 'output', stream: 'stdout', base64: btoa('a\xffb') }]);
    expect(textOf(state, 'stdout')).toBe('a\ufffdb');
  });

  it('has the problem that ended the watching', () => {
    const problem = { status: 504, code: 'deadline-exceeded', outcome: 'unknown', retryable: false } as const;
    expect(after([{ type: 'problem', pid: 1, problem }]).problem).toBe(problem);
  });
});
