import { ManualClock } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CommandAnswer } from '../commands/command-request.js';
import { Problem } from '../problems/problem.js';
import { OperationStore } from './operation-store.js';
import { PreferredAnswer } from './preferred-answer.js';
import type { WorkFollower } from './work-follower.js';
import { Work } from './work.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const done: CommandAnswer = { ok: true, json: '{}', trace: { operation: 'o1' } };

class AnswerScene {
  readonly clock = new ManualClock();
  readonly answers: CommandAnswer[] = [];
  readonly operation = new OperationStore('r').begin('vm', 'stop', 'p');
  readonly work = new Work({
    ...{ id: 'o1', vm: 'vm', command: 'stop', principalId: 'p', completion: 'stop', subject: '', started: 1 },
    ...{ deadlineAt: null, epoch: 'e', state: 'running', ended: null, result: '{}', problem: null, progress: null },
    ...{ events: [], job: null, dismiss: false },
  });
  readonly answer: PreferredAnswer;

  constructor(waitMs: number) {
    const follower = {
      store: { get: (_vm: string, id: string) => (id === 'o1' ? this.work : undefined) },
      onceOver: (work: Work, ms: number, callback: () => void) => {
        const timer = this.clock.schedule(ms, callback);
        work.waiters.add(callback);
        return () => {
          timer.cancel();
          work.waiters.delete(callback);
        };
      },
    } as unknown as WorkFollower;
    const preference = { waitMs, applied: `wait=${waitMs}` };
    this.answer = new PreferredAnswer(preference, 'vm', performance.now(), follower, (end) => this.answers.push(end));
  }
}

describe('the answer of a command whose work is waited for', () => {
  it('is its return value when the work is done, and its problem when that failed', () => {
    const [good, bad] = [new AnswerScene(1000), new AnswerScene(1000)];
    for (const { answer } of [good, bad]) answer.answer(done);
    expect(good.answers).toEqual([]);
    good.work.end({ state: 'done' }, 2);
    bad.work.end(bad.work.failure('No space'), 2);
    expect(good.answers).toMatchObject([{ ok: true, json: '{}', trace: { preference: 'wait=1000' } }]);
    expect(bad.answers).toMatchObject([{ ok: false, problem: { code: 'command-failed' } }]);
  });

  it('is the operation when the time is up, before the reply or after it, and nothing more', () => {
    const [early, late] = [new AnswerScene(1000), new AnswerScene(1000)];
    early.answer.accepted(early.operation);
    late.answer.answer(done);
    vi.advanceTimersByTime(1000);
    late.clock.advance(1000);
    for (const { answers, answer } of [early, late]) {
      answer.answer(done);
      expect(answers).toHaveLength(1);
      expect(answers[0]?.trace.location).toMatch(/^\/v1\/vms\/vm\/operations\//);
    }
  });

  it('is the operation when the reply is late, whatever is left of the wait', () => {
    const { answer, answers } = new AnswerScene(60_000);
    const problem = new Problem('deadline-exceeded', '', { outcome: 'unknown' });
    answer.answer({ ok: false, problem, trace: { operation: 'o1' } });
    expect(answers).toMatchObject([{ ok: true, trace: { location: '/v1/vms/vm/operations/o1' } }]);
  });

  it('is the refusal of what was not accepted, without a preference applied', () => {
    const { answer, answers } = new AnswerScene(0);
    answer.answer({ ok: false, problem: new Problem('forbidden', ''), trace: {} });
    expect(answers).toMatchObject([{ ok: false, trace: {} }]);
    expect(answers[0]?.trace.preference).toBeUndefined();
  });

  it('holds nothing for a caller who has left', () => {
    const { answer, answers, work, clock } = new AnswerScene(1000);
    answer.answer(done);
    answer.abandon();
    expect([work.waiters.size, clock.pending, vi.getTimerCount()]).toEqual([0, 0, 0]);
    work.end({ state: 'done' }, 2);
    expect(answers).toEqual([]);
  });
});
