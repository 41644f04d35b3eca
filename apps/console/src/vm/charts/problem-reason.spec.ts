import { GatewayProblem } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import { problemReason } from './problem-reason.js';

const problem = (code: string, more: object = {}) =>
  new GatewayProblem({ code, status: 400, outcome: 'not-sent', retryable: false, ...more });

it('says whether it makes sense to ask again', () => {
  expect(problemReason(problem('command-not-found', { command: 'query-stats' }))).toEqual({
    ...{ reason: 'This VM does not have query-stats that would tell it.', isForGood: true },
  });
  expect(problemReason(problem('forbidden', { detail: 'needs operate' }))).toEqual({
    ...{ reason: 'needs operate', isForGood: true },
  });
  expect(problemReason(problem('vm-unavailable', { detail: 'not connected' }))).toEqual({
    ...{ reason: 'not connected', isForGood: false },
  });
  expect(problemReason(problem('command-failed', { qmp: { class: 'GenericError', desc: 'no' } })).reason).toBe('no');
  expect(problemReason(new Error('away'))).toEqual({ reason: 'away', isForGood: false });
});
