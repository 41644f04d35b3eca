import type { Execution, Settlement } from '@qmp-gateway/qmp';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { CommandQueue } from './command-queue.js';
import {
  firstPollMs,
  pausedPollMs,
  RunStateWatch,
  shutdownMs,
  silentPollMs,
  spacingMs,
  lossyPollMs,
} from './run-state-watch.js';

const hour = 3_600_000;

/** A VM that is asked: its answers are given by the test, or are the state it has. */
class AskedVm {
  readonly clock = new ManualClock();
  readonly queue = new CommandQueue({ queue: 2 });
  readonly told: string[] = [];
  readonly polled: boolean[] = [];
  /** Times of the questions. */
  readonly asked: number[] = [];
  readonly unanswered: Execution[] = [];
  places = 8;
  state: string | null = 'running';
  readonly watch = new RunStateWatch(this, this.queue, this, this.clock);

  runStateLearned(runState: string, polled: boolean): void {
    this.told.push(runState);
    this.polled.push(polled);
  }

  execute(execution: Execution): void {
    this.asked.push(this.clock.now());
    this.places--;
    this.unanswered.push(execution);
    if (this.state !== null) this.answer(this.state);
  }

  answer(state: string, count = 1): void {
    const value = Buffer.from(JSON.stringify({ status: state, running: state === 'running' }));
    for (const execution of this.unanswered.splice(0, count)) this.settle(execution, { kind: 'return', value });
  }

  settle(execution: Execution, settlement: Settlement): void {
    this.places++;
    execution.settle(settlement);
  }

  /** Milliseconds between its questions in that time. */
  gaps(ms: number): number[] {
    const from = this.clock.now();
    this.asked.length = 0;
    this.clock.advance(ms);
    return this.asked.map((at, index) => at - (this.asked[index - 1] ?? from));
  }
}

describe('the run state of a VM', () => {
  it('is not asked while it runs, however long', () => {
    const vm = new AskedVm();
    vm.watch.start('running', false);
    vm.clock.advance(hour);
    expect(vm.asked).toEqual([]);
  });

  it('is asked at once after an event that speaks of it, and what it says is told', () => {
    const vm = new AskedVm();
    vm.watch.start('running', false);
    vm.state = 'prelaunch';
    vm.watch.event('paused');
    expect([vm.told, vm.polled]).toEqual([['prelaunch'], [false]]);
  });

  it.each(['inmigrate', 'finish-migrate', 'save-vm', 'restore-vm', 'internal-error', 'preconfig', 'colo', 'debug'])(
    'is asked again and again while it is %s, which ends silently: with back-off, and never a second apart',
    (state) => {
      const vm = new AskedVm();
      vm.state = state;
      vm.watch.start(state, false);
      expect(vm.gaps(4000)).toEqual([firstPollMs, 200, 400, silentPollMs, silentPollMs, silentPollMs, silentPollMs]);
      vm.state = 'running';
      vm.clock.advance(silentPollMs);
      expect([vm.told.at(-1), vm.polled.at(-1)]).toEqual(['running', true]);
      expect(vm.gaps(hour)).toEqual([]);
    },
  );

  it.each(['paused', 'prelaunch', 'postmigrate', 'suspended', 'io-error', 'guest-panicked', 'a state of tomorrow'])(
    'is asked ever more rarely while it is %s, which others can change in silence',
    (state) => {
      const vm = new AskedVm();
      vm.state = state;
      vm.watch.start(state, false);
      const gaps = vm.gaps(30_000);
      expect(gaps.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, pausedPollMs, pausedPollMs]);
      vm.state = 'finish-migrate';
      vm.clock.advance(pausedPollMs);
      expect(vm.told.at(-1)).toBe('finish-migrate');
      expect(vm.gaps(4000).slice(-2)).toEqual([silentPollMs, silentPollMs]);
    },
  );

  it('is asked once for all events while a question is unanswered: the answer is newer than they are', () => {
    const vm = new AskedVm();
    vm.watch.start('running', false);
    vm.state = null;
    vm.watch.event('paused');
    for (let flood = 0; flood < 1000; flood++) vm.watch.event(flood % 2 === 0 ? 'running' : 'paused');
    expect(vm.asked).toHaveLength(1);
    vm.answer('running');
    expect(vm.told).toEqual(['running']);
    vm.clock.advance(hour);
    expect(vm.asked).toHaveLength(1);
  });

  it('is asked ten times a second at most of a VM that floods, the last time after the last event', () => {
    const vm = new AskedVm();
    vm.watch.start('running', false);
    for (let ms = 0; ms < 1050; ms++) {
      vm.watch.event('paused');
      vm.watch.event('running');
      vm.clock.advance(1);
    }
    expect(vm.asked).toHaveLength(1 + 1000 / spacingMs);
    expect(vm.gaps(hour)).toEqual([spacingMs / 2]);
  });

  it('is asked a moment after SHUTDOWN, for a VM that ends must not be written to', () => {
    const vm = new AskedVm();
    vm.watch.start('running', false);
    vm.state = 'shutdown';
    vm.watch.event('shutdown');
    // The STOP after it, and whatever else speaks of it meanwhile, does not put the question off.
    vm.clock.advance(shutdownMs - 1);
    vm.watch.event('shutdown');
    expect(vm.asked).toEqual([]);
    vm.clock.advance(1);
    expect(vm.asked).toHaveLength(1);
    const ended = new AskedVm();
    ended.watch.start('running', false);
    ended.watch.event('shutdown');
    ended.watch.stop();
    ended.clock.advance(hour);
    expect(ended.asked).toEqual([]);
  });

  it('is asked of StratoVirt every five seconds in whatever state, for its events can fail to come', () => {
    const vm = new AskedVm();
    vm.watch.start('running', true);
    expect(vm.gaps(3 * lossyPollMs)).toEqual([lossyPollMs, lossyPollMs, lossyPollMs]);
    vm.state = 'paused';
    vm.watch.event('paused');
    vm.clock.advance(spacingMs);
    expect(vm.told.at(-1)).toBe('paused');
    expect(vm.gaps(2 * lossyPollMs)).toEqual([lossyPollMs, lossyPollMs]);
  });

  it('is one question at a time, also when the VM does not answer for hours', () => {
    const vm = new AskedVm();
    vm.state = null;
    vm.watch.start('inmigrate', false);
    vm.clock.advance(hour);
    vm.watch.event('running');
    vm.clock.advance(hour);
    expect([vm.asked.length, vm.places]).toEqual([1, 7]);
  });

  it('is asked in turn behind commands that wait, and later when the queue is full', () => {
    const vm = new AskedVm();
    vm.watch.start('running', false);
    vm.places = 0;
    const order: string[] = [];
    const waiting = {
      principalId: 'someone',
      send: () => order.push('someone'),
      refuse: () => undefined,
      giveWay: () => undefined,
    };
    vm.queue.add(waiting);
    vm.queue.add({ ...waiting });
    vm.watch.event('paused');
    expect([vm.queue.size, vm.asked.length]).toEqual([2, 0]);
    vm.queue.next();
    vm.clock.advance(hour);
    expect(vm.queue.size).toBe(2);
    // More events wait with it.
    vm.watch.event('running');
    expect(vm.queue.size).toBe(2);
    vm.queue.next()?.send();
    expect([order, vm.asked.length]).toEqual([['someone'], 0]);
    vm.places = 8;
    vm.queue.serve(vm);
    expect(vm.asked).toHaveLength(1);
  });

  it('tells nothing of an earlier session, and asks for it no more', () => {
    const vm = new AskedVm();
    vm.state = null;
    vm.watch.start('inmigrate', false);
    vm.clock.advance(firstPollMs);
    vm.watch.stop();
    const [late] = vm.unanswered.splice(0);
    vm.watch.start('running', false);
    if (late !== undefined) vm.settle(late, { kind: 'return', value: Buffer.from('{"status":"paused"}') });
    vm.clock.advance(hour);
    expect([vm.told, vm.asked.length]).toEqual([[], 1]);
  });

  it.each<Settlement>([
    { kind: 'error', class: 'GenericError', desc: 'no' },
    { kind: 'return', value: Buffer.from('{}') },
  ])('stays as it was when the answer is %j, and is asked again', (settlement) => {
    const vm = new AskedVm();
    vm.state = null;
    vm.watch.start('inmigrate', false);
    for (let question = 1; question <= 3; question++) {
      vm.clock.advance(silentPollMs);
      expect(vm.asked).toHaveLength(question);
      for (const execution of vm.unanswered.splice(0)) vm.settle(execution, settlement);
    }
    expect(vm.told).toEqual([]);
  });
});
