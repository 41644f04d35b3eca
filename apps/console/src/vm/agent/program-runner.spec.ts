import type { ExecLine } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import { ProgramRunner } from './program-runner.js';
import { textOf } from './program-output.js';

const ended = { stdoutBytes: 3, stderrBytes: 0, stdoutTruncated: false, stderrTruncated: false };

it('watches a program to its end', async () => {
  async function* exec(): AsyncGenerator<ExecLine> {
    yield { type: 'started', pid: 7, operation: 'o' };
    yield await Promise.resolve({ type: 'output', stream: 'stdout', text: 'hi\n' } as const);
    yield { type: 'exited', pid: 7, exitCode: 0, signal: null, ...ended };
  }
  const runner = new ProgramRunner({ exec });
  let changes = 0;
  runner.changed.subscribe(() => changes++);
  await runner.run({ path: '/bin/echo' });
  expect([runner.phase, runner.state.exit?.exitCode, textOf(runner.state, 'stdout')]).toEqual(['ended', 0, 'hi\n']);
  expect(changes).toBe(5);
});

it('says why one could not be run', async () => {
  const runner = new ProgramRunner({
    exec: () => {
      throw new Error('no agent');
    },
  });
  await runner.run({ path: '/bin/echo' });
  expect([runner.phase, runner.why]).toEqual(['failed', 'no agent']);
});

it('leaves one that goes on, and can run the next', async () => {
  const signals: AbortSignal[] = [];
  async function* exec(_: object, { signal }: { signal: AbortSignal }): AsyncGenerator<ExecLine> {
    signals.push(signal);
    yield { type: 'started', pid: signals.length, operation: 'o' };
    if (signals.length === 1)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  }
  const runner = new ProgramRunner({ exec });
  const first = runner.run({ path: '/bin/sleep' });
  await expect.poll(() => runner.state.pid).toBe(1);
  runner.leave();
  await first;
  expect([runner.phase, runner.why, signals[0]?.aborted]).toEqual(['left', '', true]);
  await runner.run({ path: '/bin/true' });
  expect([runner.phase, runner.state.pid]).toEqual(['ended', 2]);
});
