import { expect, it } from 'vitest';
import { auditRow, hasWords } from './audit-row.js';

it('shows a command, and what else its record has', () => {
  const record = { time: 't', principal: 'token:a', vm: 'web-1', command: 'stop', outcome: 'done', class: 'operate' };
  expect(auditRow(record)).toEqual({
    ...{ time: 't', principal: 'token:a', vm: 'web-1', what: 'stop', outcome: 'done', isGood: true },
    details: '{"class":"operate"}',
  });
  expect(auditRow({ ...record, outcome: 'forbidden' }).isGood).toBe(false);
});

it('shows a change of the gateway’s own state', () => {
  const row = auditRow({ time: 't', principal: 'gateway', change: 'token-created', vms: ['*'] });
  expect(row).toMatchObject({ vm: '', what: 'token-created', details: '{"vms":["*"]}' });
  expect(hasWords(row, 'TOKEN gateway')).toBe(true);
  expect(hasWords(row, 'token web')).toBe(false);
});
