import { expect, it } from 'vitest';
import { CommandHistory, type PastCommand } from './command-history.js';

function historyOf(kept?: unknown) {
  let value = kept;
  return new CommandHistory({ read: () => value, write: (_, next) => (value = next) });
}
const past = (command: string, args?: string): PastCommand => ({
  ...{ at: '2026-01-01T00:00:00.000Z', vm: 'web-1', command, outcome: 'done' },
  ...(args === undefined ? {} : { arguments: args }),
});

it('keeps the newest hundred', () => {
  const history = historyOf();
  for (let at = 0; at < 120; at++) history.add(past(`c${at}`));
  expect(history.all().length).toBe(100);
  expect([history.all()[0]?.command, history.all()[99]?.command]).toEqual(['c119', 'c20']);
  history.clear();
  expect(history.all()).toEqual([]);
});

it('keeps no secrets', () => {
  const history = historyOf();
  history.add(past('blockdev-add', '{"driver":"nbd"}'));
  history.add(past('set_password', '{"protocol":"vnc","password":"x"}'));
  history.add(past('qom-set', '{"path":"/a","property":"data","value":"x"}'));
  history.add(past('blockdev-add', '{"driver":"ssh","x-accessKey": "x"}'));
  history.add(past('any', `{"long":"${'x'.repeat(3000)}"}`));
  expect(history.all().map((each) => each.arguments)).toEqual([
    ...[undefined, undefined, undefined, undefined, '{"driver":"nbd"}'],
  ]);
});

it('lives with whatever the browser kept', () => {
  expect(historyOf('x').all()).toEqual([]);
  expect(historyOf([null, 1, { vm: 'a' }, past('stop')]).all()).toEqual([past('stop')]);
});
