import { describe, expect, it } from 'vitest';
import { jobActions } from './job-verbs.js';

const verbs = (status: string | null) => jobActions(status).map(({ verb }) => verb);

describe('what a job can be asked', () => {
  it.each([
    ['running', ['pause', 'cancel']],
    ['paused', ['resume', 'cancel']],
    ['ready', ['complete', 'pause', 'cancel']],
    ['pending', ['finalize', 'cancel']],
    ['concluded', ['dismiss']],
    ['aborting', []],
    ['null', []],
  ])('%s: %j', (status, expected) => {
    expect(verbs(status)).toEqual(expected);
  });

  it('is to cancel, where the status is not known or new', () => {
    for (const status of [null, 'hibernating', 'constructor']) expect(verbs(status)).toEqual(['cancel']);
  });

  it('has a command and words for each', () => {
    expect(jobActions('pending')[0]).toEqual({
      ...{ verb: 'finalize', command: 'job-finalize', label: 'Finalize' },
      says: expect.stringMatching(/\.$/),
    });
  });
});
