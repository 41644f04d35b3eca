import type { Execution, Monitor } from '@qmp-gateway/qmp';
import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { CommandQueue } from '../commands/command-queue.js';
import { pollEveryMs, RunStatePoll, runStateOf } from './run-state-poll.js';

const scene = new Scene();

afterEach(() => scene.end());

async function stage(): Promise<{
  clock: ManualClock;
  monitor: Monitor;
  queue: CommandQueue;
  poll: RunStatePoll;
  told: string[];
  asked: () => number;
  answered: (count: number) => Promise<void>;
}> {
  const clock = new ManualClock();
  const fake = await scene.fake();
  fake.on('query-status', () => ({ json: '{"status": "paused"}' }));
  const { monitor, host } = await scene.ready(fake.endpoint);
  const queue = new CommandQueue({ queue: 2 });
  const told: string[] = [];
  const poll = new RunStatePoll(monitor, queue, (runState) => told.push(runState), clock);
  return {
    ...{ clock, monitor, queue, poll, told },
    asked: () => fake.commands.filter(({ name }) => name === 'query-status').length,
    answered: (count) => host.until(() => told.length === count),
  };
}

describe('the run state in an answer to query-status', () => {
  const state = (json: string) => runStateOf({ kind: 'return', value: Buffer.from(json) });

  it('is a text in an object, and null in anything else', () => {
    expect(state('{"status":"paused"}')).toBe('paused');
    expect(['null', '[]', '"paused"', '{"status":1e999}', '{', ''].map(state)).toEqual(Array<null>(6).fill(null));
  });
});

describe('RunStatePoll', () => {
  it('asks every five seconds, each time after the answer before', async () => {
    const { clock, poll, told, asked, answered } = await stage();
    poll.start();
    clock.advance(pollEveryMs - 1);
    expect(asked()).toBe(0);
    clock.advance(1);
    await answered(1);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(pollEveryMs);
    await answered(2);
    expect(told).toEqual(['paused', 'paused']);
  });

  it('takes its turn behind commands that wait, and skips it when the queue is full', async () => {
    const { clock, monitor, queue, poll, asked } = await stage();
    const inFlight: Execution[] = [];
    while (monitor.places > 0) {
      const execution: Execution = { command: 'never-answered', settle: () => undefined };
      inFlight.push(execution);
      monitor.execute(execution);
    }
    const order: string[] = [];
    const waiting = {
      principalId: 'someone',
      send: () => order.push('someone'),
      refuse: () => undefined,
      giveWay: () => undefined,
    };
    queue.add(waiting);
    queue.add({ ...waiting });
    poll.start();
    clock.advance(pollEveryMs);
    expect([queue.size, asked()]).toEqual([2, 0]);
    queue.next();
    clock.advance(pollEveryMs);
    expect(queue.size).toBe(2);
    queue.next()?.send();
    queue.next()?.send();
    expect(order).toEqual(['someone']);
  });

  it('asks no more once it was stopped, also when an answer was on its way', async () => {
    const { clock, poll, answered, asked } = await stage();
    poll.start();
    clock.advance(pollEveryMs);
    poll.stop();
    await answered(1);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10 * pollEveryMs);
    expect(asked()).toBe(1);
  });
});
