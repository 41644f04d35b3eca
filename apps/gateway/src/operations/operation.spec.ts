import { describe, expect, it } from 'vitest';
import { IllegalOperationTransitionError, operationTransitions, shownStates } from './operation-state.js';
import { Operation } from './operation.js';

function operation(): Operation {
  return new Operation({ id: 'o', vm: 'vm', command: 'stop', principalId: 'p', level: 'read', started: 1 });
}

describe('an operation', () => {
  it('goes from its acceptance to its end', () => {
    const one = operation();
    const states = [one.state];
    for (const step of [() => one.queued(), () => one.sent('e.1'), () => one.goesOn(Buffer.from('1'))]) {
      step();
      states.push(one.state);
    }
    one.end('done', 7, null, null);
    expect([...states, one.state]).toEqual(['accepted', 'queued', 'sent', 'working', 'done']);
    expect(one).toMatchObject({ shownState: 'done', ended: 7, returned: '1', epoch: 'e.1' });
  });

  it('takes no step that the table does not have', () => {
    const one = operation();
    expect(() => one.goesOn(null)).toThrow(IllegalOperationTransitionError);
    one.sent('e.1');
    one.end('done', 7, Buffer.from('1'), null);
    expect(() => one.end('lost', 8, null, null)).toThrow('illegal operation transition from done to lost');
    expect(one).toMatchObject({ state: 'done', ended: 7 });
  });

  it('leaves no end, and comes to one from everywhere', () => {
    const ends: readonly string[] = [...shownStates, 'dropped'];
    for (const [from, to] of Object.entries(operationTransitions))
      expect([from, Object.keys(to).some((state) => ends.includes(state))]).toEqual([from, !ends.includes(from)]);
  });

  it('tells whoever waits once, and holds nobody afterwards', () => {
    const one = operation();
    const told: string[] = [];
    const watcher = { replied: () => told.push('replied'), measured: () => undefined, over: () => told.push('over') };
    one.watch(watcher);
    one.sent('e.1');
    one.goesOn(null);
    one.end('done', 7, null, null);
    expect([told, one.isAwaited]).toEqual([['replied', 'over'], false]);
  });
});
