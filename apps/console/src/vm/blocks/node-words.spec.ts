import { expect, it } from 'vitest';
import { jobPercent, nodeWords, shortened } from './node-words.js';

it('says how far a job is', () => {
  const job = { id: 'job:a', kind: 'job', name: 'a', type: 'mirror' } as const;
  expect(jobPercent({ ...job, job: { status: 'running', done: 1n, of: 3n } })).toBe(33.3);
  expect(jobPercent({ ...job, job: { status: 'running', done: 5n, of: 0n } })).toBeUndefined();
  expect(nodeWords({ ...job, job: { status: 'running', done: 2n, of: 4n } })).toBe('mirror, running, 50 %');
});

it('shortens a long name in its middle', () => {
  expect(shortened('/var/lib/images/web-17.qcow2', 16)).toBe('/var/…b-17.qcow2');
  expect(shortened('short', 16)).toBe('short');
});
