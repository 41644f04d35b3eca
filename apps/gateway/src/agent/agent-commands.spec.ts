import { describe, expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandAsker, CommandRequest } from '../commands/command-request.js';
import { Problem } from '../problems/problem.js';
import { AgentCommands, type TaskControls } from './agent-commands.js';

const done: CommandAnswer = { ok: true, json: '1000', trace: { epoch: 'run.7' } };
const failed = (problem: Problem): CommandAnswer => ({ ok: false, problem, trace: {} });
const away = failed(new Problem('vm-unavailable', 'away'));

interface Made {
  readonly agent: AgentCommands;
  readonly requests: CommandRequest[];
  readonly pauses: number[];
  /** Resolves when there is nothing left to try. */
  readonly quiet: Promise<void>;
}

/** Commands that are answered with these one after the other, the last one again and again. */
function make(answers: readonly CommandAnswer[], controls: TaskControls = {}, pausesAwaited = Infinity): Made {
  const requests: CommandRequest[] = [];
  const pauses: number[] = [];
  const principal = new Principal('token:a', 'a', { level: 'host', vms: ['*'] });
  const context = { principal, requestId: 'r', traceparent: 't' };
  let settled = (): void => undefined;
  const quiet = new Promise<void>((resolve) => (settled = resolve));
  const path = {
    execute: (request: CommandRequest, asker: CommandAsker) => {
      requests.push(request);
      asker.answered(answers[Math.min(requests.length, answers.length) - 1] ?? done);
      if (pauses.length >= pausesAwaited) settled();
    },
  };
  const sleep = (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    return Promise.resolve();
  };
  return {
    agent: new AgentCommands(path, { context, vm: 'web-1', controls, sleep }),
    ...{ requests, pauses, quiet },
  };
}

describe('the commands of a task', () => {
  it('are those of its caller, for the agent, with numbers as they are', async () => {
    const { agent, requests } = make([done], { timeoutMs: 50, epoch: 'run.6' });
    expect(await agent.run('guest-file-open', { path: '/f' })).toEqual({
      ...{ value: { value: 1000 }, trace: { epoch: 'run.7' } },
    });
    await agent.inSession('run.7').run('guest-file-read', { handle: 1000 });
    const caller = { requestId: 'r', traceparent: 't', vm: 'web-1', agent: true, part: true, timeoutMs: 50 };
    expect(requests).toMatchObject([
      { ...caller, command: 'guest-file-open', epoch: 'run.6' },
      { ...caller, command: 'guest-file-read', epoch: 'run.7', arguments: { json: '{"handle":1000}' } },
    ]);
  });

  it('tell a reply that comes late, and no failure', async () => {
    const { agent, requests } = make([failed(new Problem('deadline-exceeded', 'late', { outcome: 'unknown' }))]);
    const told: unknown[] = [];
    const manner = { part: true, late: (reply: unknown) => void told.push(reply) };
    await expect(agent.run('guest-file-open', {}, manner)).rejects.toMatchObject({ code: 'deadline-exceeded' });
    requests[0]?.late?.(away);
    expect(told).toEqual([]);
    requests[0]?.late?.(done);
    expect(told).toEqual([{ value: { value: 1000 }, trace: { epoch: 'run.7' } }]);
  });
});

describe('cleaning up', () => {
  it('does not use the deadline of the caller, and is done once', async () => {
    const { agent, requests, pauses } = make([done], { timeoutMs: 50 });
    await agent.cleanUp('guest-file-close', { handle: 1 });
    expect(requests).toMatchObject([{ command: 'guest-file-close', part: true, timeoutMs: undefined }]);
    expect(pauses).toEqual([]);
  });

  it('is tried again while the agent cannot be asked', async () => {
    const { agent, requests, pauses, quiet } = make([away, away, done], {}, 2);
    await agent.cleanUp('guest-file-close', { handle: 1 });
    await quiet;
    expect([pauses, requests.length]).toEqual([[1000, 2000], 3]);
  });

  it('is given up after half a minute, and at once when the agent has had it or the session is another', async () => {
    const gone = make([away], {}, 5);
    await gone.agent.cleanUp('guest-file-close', { handle: 1 });
    await gone.quiet;
    expect(gone.pauses.reduce((sum, milliseconds) => sum + milliseconds)).toBe(30_000);
    expect(gone.requests).toHaveLength(6);
    for (const code of ['outcome-unknown', 'epoch-changed', 'forbidden'] as const) {
      const { agent, pauses } = make([failed(new Problem(code, 'no'))]);
      await agent.cleanUp('guest-file-close', { handle: 1 });
      expect(pauses, code).toEqual([]);
    }
  });
});
