import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { OperationStore } from '../operations/operation-store.js';
import { OperationWait, type OperationWaiter } from '../operations/operation-wait.js';
import type { Operation } from '../operations/operation.js';
import type { Verdict } from '../operations/work.js';
import { Problem } from '../problems/problem.js';
import type { CommandAnswer, CommandAsker } from './command-request.js';
import { PreferredAnswer } from './preferred-answer.js';

class AnswerScene implements CommandAsker {
  readonly clock = new ManualClock();
  readonly answers: CommandAnswer[] = [];
  readonly operations = new OperationStore('r', this.clock);
  readonly operation = this.operations.beginWork(this.operations.begin('vm', 'stop', 'p'), {
    ...{ completion: 'stop', subject: '', deadlineAt: null, dismiss: false, job: null },
  });
  readonly done: CommandAnswer = { ok: true, json: '{}', trace: { operation: this.operation.id } };
  readonly answer: PreferredAnswer;

  constructor(waitMs: number) {
    const { clock, operations } = this;
    const looker = { look: () => undefined };
    const work = {
      await: (operation: Operation, ms: number, waiter: OperationWaiter) =>
        new OperationWait(operation, waiter, looker, { clock, waitMs: ms }),
    };
    const preference = { waitMs, applied: `wait=${waitMs}` };
    const command = { vm: 'vm', arrivedAt: clock.now() };
    this.answer = new PreferredAnswer(preference, command, { operations, work, clock }, this);
  }

  answered(answer: CommandAnswer): void {
    this.answers.push(answer);
  }

  /** The command returned, and its work goes on. */
  reply(): void {
    this.operation.sent('e.1');
    this.operations.goesOn(this.operation, Buffer.from('{}'));
    this.answer.answered(this.done);
  }

  /** The work has ended. */
  end(verdict: Verdict): void {
    this.operations.conclude(this.operation, verdict);
  }
}

describe('the answer of a command whose work is waited for', () => {
  it('is its return value when the work is done, and its problem when that failed', () => {
    const [good, bad] = [new AnswerScene(1000), new AnswerScene(1000)];
    for (const stage of [good, bad]) stage.reply();
    expect(good.answers).toEqual([]);
    good.end({ state: 'done' });
    bad.end(bad.operation.work.failure('No space'));
    expect(good.answers).toMatchObject([{ ok: true, json: '{}', trace: { preference: 'wait=1000' } }]);
    expect(bad.answers).toMatchObject([{ ok: false, problem: { code: 'command-failed' } }]);
  });

  it('is the operation when the time is up, before the reply or after it, and nothing more', () => {
    const [early, late] = [new AnswerScene(1000), new AnswerScene(1000)];
    early.answer.accepted(early.operation);
    late.reply();
    for (const { clock } of [early, late]) clock.advance(1000);
    for (const { answers, answer, done } of [early, late]) {
      answer.answered(done);
      expect(answers).toHaveLength(1);
      expect(answers[0]?.trace.location).toMatch(/^\/v1\/vms\/vm\/operations\//);
    }
  });

  it('is the operation when the reply is late, whatever is left of the wait', () => {
    const { answer, answers, operation } = new AnswerScene(60_000);
    const problem = new Problem('deadline-exceeded', '', { outcome: 'unknown' });
    answer.answered({ ok: false, problem, trace: { operation: operation.id } });
    expect(answers).toMatchObject([{ ok: true, trace: { location: operation.path } }]);
  });

  it('is the refusal of what was not accepted, without a preference applied', () => {
    const { answer, answers } = new AnswerScene(0);
    answer.answered({ ok: false, problem: new Problem('forbidden', ''), trace: {} });
    expect(answers).toMatchObject([{ ok: false, trace: {} }]);
    expect(answers[0]?.trace.preference).toBeUndefined();
  });

  it('holds nothing for a caller who has left', () => {
    const stage = new AnswerScene(1000);
    stage.reply();
    stage.answer.abandon();
    expect([stage.operation.isAwaited, stage.clock.pending]).toEqual([false, 0]);
    stage.end({ state: 'done' });
    expect(stage.answers).toEqual([]);
  });
});
