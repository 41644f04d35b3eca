import { expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { RepeatLimit } from './repeat-limit.js';

it('holds back what is said again and again of one VM, and says how often', () => {
  let now = 0;
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger('info', new RepeatLimit(() => now), { write });
  const tell = (vm: string, detail: number) => log.warn({ vm, kind: 'x', detail }, 'odd bytes');
  for (let n = 0; n < 100; n++) tell('a', n);
  tell('b', 0);
  log.info('plain');
  expect(lines).toHaveLength(12);
  expect(lines[0]).toMatchObject({ level: 40, vm: 'a', detail: 0, msg: 'odd bytes' });
  expect(lines.slice(10)).toMatchObject([{ vm: 'b' }, { msg: 'plain' }]);
  now = 10_000;
  tell('a', 100);
  expect(lines.at(-1)).toMatchObject({ vm: 'a', detail: 100, repeated: 90, msg: 'odd bytes' });
});

it('tells faults of ours apart by their place, not by their message', () => {
  const faults: string[] = [];
  const write = (line: string) => faults.push((JSON.parse(line) as { err: { message: string } }).err.message);
  const log = createLogger('info', new RepeatLimit(() => 0), { write });
  const failHere = (message: string) => log.error({ err: new Error(message) }, 'request failed');
  const failThere = (message: string) => log.error({ err: new Error(message) }, 'request failed');
  for (let n = 0; n < 20; n++) failHere(`here ${n}`);
  failThere('there');
  expect(faults).toHaveLength(11);
  expect(faults.at(-1)).toBe('there');
});

it('costs nothing below its level', () => {
  const lines: string[] = [];
  const log = createLogger('warn', new RepeatLimit(), { write: (line) => lines.push(line) });
  log.info({ vm: 'a' }, 'changed');
  expect(lines).toEqual([]);
});
