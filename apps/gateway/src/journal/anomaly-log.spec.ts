import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { AnomalyLog, type AnomalyLine } from './anomaly-log.js';

it('has a line a minute for each kind of a VM, the very same an hour apart, and says what went untold', () => {
  const clock = new ManualClock();
  const lines: AnomalyLine[] = [];
  const log = new AnomalyLog((line) => lines.push(line), clock);
  const [web, db] = [{ id: 'web' }, { id: 'db' }];
  for (let n = 0; n < 1000; n++) log.tell(web, 'foreign-reply', `${n} bytes`);
  log.tell(web, 'odd-event-name', 'gap\u001b[2J');
  log.tell(db, 'foreign-reply', '1 bytes');
  expect(lines).toEqual([
    { vm: 'web', kind: 'foreign-reply', detail: '0 bytes' },
    { vm: 'web', kind: 'odd-event-name', detail: 'gap\ufffd[2J' },
    { vm: 'db', kind: 'foreign-reply', detail: '1 bytes' },
  ]);
  clock.advance(60_000);
  log.tell(web, 'foreign-reply', '5 bytes');
  log.tell(db, 'foreign-reply', '1 bytes');
  expect(lines.slice(3)).toEqual([{ vm: 'web', kind: 'foreign-reply', detail: '5 bytes', untold: 999 }]);
  clock.advance(3_600_000);
  log.tell(db, 'foreign-reply', '1 bytes');
  expect(lines.slice(4)).toEqual([{ vm: 'db', kind: 'foreign-reply', detail: '1 bytes', untold: 1 }]);
});
